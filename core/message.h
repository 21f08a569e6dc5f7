/*
 * An HTTP request and response as data: what protocols build and read, what is signed and verified,
 * what http sends and the server receives. No transport here.
 */
#ifndef TAP_MESSAGE_H
#define TAP_MESSAGE_H

#include <stddef.h>

#include "api.h"
#include "buf.h"
#include "stretch.h"

TAP_API_BEGIN

enum {
    TAP_MAX_BODY = 512 * 1024 * 1024, /* bytes of one message body held in memory */
};

struct tap_header {
    char *name;
    char *value;
};

/* In order of arrival; names keep their spelling and compare without regard to case. */
struct tap_headers {
    struct tap_header *items;
    size_t n, cap;
};

/* Copies name and value; keeps an earlier header of the same name. */
void tap_headers_add(struct tap_headers *headers, const char *name, const char *value);
/* Replaces all headers of that name. */
void tap_headers_set(struct tap_headers *headers, const char *name, const char *value);
void tap_headers_remove(struct tap_headers *headers, const char *name);
/* First value, borrowed; NULL when absent. */
const char *tap_headers_get(const struct tap_headers *headers, const char *name);
void tap_headers_fini(struct tap_headers *headers);

struct tap_request {
    char *method; /* "POST" */
    char *scheme; /* "https"; NULL in a request that a server received */
    char *host;   /* "sts.amazonaws.com" or "127.0.0.1:4566" */
    char *target; /* path and query as they stand on the wire, percent-encoded: "/a%20b?x=1" */
    struct tap_headers headers;
    struct tap_buf body;
    struct tap_stretch *stretch; /* the body, in place of the bytes in `body`; NULL: it is these */
};

struct tap_response {
    int status;
    struct tap_headers headers;
    struct tap_buf body;
};

/* An empty message, whose body may grow to TAP_MAX_BODY; what it comes to hold (fields by
 * tap_set, headers, body) is its own and freed by fini, after which it is empty again. */
void tap_request_init(struct tap_request *request);
void tap_request_fini(struct tap_request *request);
void tap_response_init(struct tap_response *response);
void tap_response_fini(struct tap_response *response);
/* Replace an owned string field; `value` is copied and may be NULL. */
void tap_set(char **field, const char *value);

TAP_API_END

#endif
