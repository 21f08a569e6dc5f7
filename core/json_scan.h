/*
 * The tokens of JSON text, each with its line and column. jansson decides what is JSON and makes
 * the values; this finds the places of what jansson accepted, and of what it refused. Private to
 * json.c and json_explain.c.
 */
#ifndef TAP_JSON_SCAN_H
#define TAP_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "doc.h"
#include "error.h"

/* Tokens; the six brackets and separators stand for themselves. */
enum {
    TAP_JSON_END = 0,
    TAP_JSON_STRING = 's', /* quotes included; up to the line's end when the closing one misses */
    TAP_JSON_WORD = 'w',   /* a number, true, false, null, or anything that does not belong */
};

struct tap_json_scan {
    const char *at, *end; /* what is left of the text */
    struct tap_mark next; /* the place of `at` */
    const char *token;    /* the token read last */
    size_t len;
    struct tap_mark mark;
};

void tap_json_scan_init(struct tap_json_scan *scan, const char *text, size_t len);
/* The next token's kind. */
int tap_json_scan_next(struct tap_json_scan *scan);
/* Moves on by one byte, keeping count of lines and characters. */
void tap_json_scan_skip(struct tap_json_scan *scan);

/* Says in plain words why jansson refused `text`: fills err (TAP_E_PARSE) at the first place where
 * it is not JSON. `fallback` is jansson's own text, for a case that is not foreseen. */
tap_err tap_json_explain(const char *text, size_t len, const char *file, const char *fallback,
                         struct tap_error *err);

#endif
