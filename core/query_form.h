/*
 * A received form (application/x-www-form-urlencoded) as a tree: "Tags.member.1.Key=a" is the text
 * "a" at Tags, member, 1, Key. Private to query_serve.c.
 */
#ifndef TAP_QUERY_FORM_H
#define TAP_QUERY_FORM_H

#include <jansson.h>

#include "error.h"
#include "message.h"

/* Reads the query string and, of a POST, the body (gzip too). Every node is an object.
 * TAP_E_SERVICE with AWS's name for it when the form is broken or too large. The caller owns *out.
 */
tap_err tap_form_read(json_t **out, const struct tap_request *request, struct tap_error *err);
/* The text that stands at a node itself, a string; NULL when there is none. Borrowed. */
const json_t *tap_form_text(const json_t *node);
/* The nodes below `node` (which may be NULL) whose names are numbers, in the order of the numbers.
 * The caller frees the array with tap_free. */
const json_t **tap_form_numbered(const json_t *node, size_t *n);

#endif
