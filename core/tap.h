/*
 * libtap for C and C++ programs: everything public, in reading order. What this file includes is
 * what `make install` installs, what libtap.so exports, and what keeps its contract within one
 * soname.
 *
 * One thread uses the library, with one loop (loop.h); who needs more starts processes. Values are
 * jansson's (json_t); a text that the caller owns is freed with tap_free.
 *
 * Private are the inside of the modules (op.h, call.h, ..._table.h) and what a client does by
 * itself (protocols, endpoints, retries, where credentials come from): they may change with every
 * version. So are the parsers for templates and the listener, which serve the command.
 */
#ifndef TAP_TAP_H
#define TAP_TAP_H

#include "api.h"
#include "library.h"
#include "version.h"

/* A call and what it needs. */
#include "client.h"
#include "credentials.h"
#include "error.h"
#include "loop.h"
#include "model.h"

/* What else is done with calls, and with their outputs; blobs are base64 in them. */
#include "jmespath.h"
#include "paginator.h"
#include "presign.h"
#include "text.h"
#include "timestamp.h"
#include "waiter.h"

/* Requests that are no calls: built, signed and sent by oneself; bodies that are files. */
#include "http.h"
#include "message.h"
#include "sigv4.h"
#include "sink.h"
#include "stretch.h"

/* Memory, and what is written for people. */
#include "buf.h"
#include "log.h"
#include "mem.h"
#include "secret.h"

#endif
