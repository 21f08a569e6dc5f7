/*
 * JSON, by jansson: the core's one value tree (json_t) for JSON, XML and YAML. Here are its limits,
 * its errors with a place, and documents whose every node knows where it stands.
 */
#ifndef TAP_JSON_H
#define TAP_JSON_H

#include <jansson.h>

#include "doc.h"
#include "error.h"

enum { TAP_MAX_DEPTH = 256, TAP_MAX_DOCUMENT = 64 * 1024 * 1024 };

/* One JSON value of any type. `file` (may be NULL) is for the error's place. Duplicate keys: the
 * last one wins, as everywhere. The caller owns *out (json_decref). */
tap_err tap_json_parse(json_t **out, const char *text, size_t len, const char *file,
                       struct tap_error *err);
/* The same, keeping the place of every node and every duplicate key. */
tap_err tap_json_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                          struct tap_error *err);
/* Compact, keys in insertion order; caller frees with tap_free. */
char *tap_json_print(const json_t *value);
/* The same over several lines, each level `indent` (1 to 31) blanks deeper; 0: compact. */
char *tap_json_print_indented(const json_t *value, unsigned indent);

#endif
