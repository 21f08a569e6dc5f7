/*
 * JMESPath (jmespath.org, the whole specification): the query language of --query, and what the
 * paginators and waiters of the service models are written in.
 *
 * An expression is compiled once, and everything that can be known without data is said then: its
 * syntax, functions that do not exist, a wrong number of arguments. A query for a deployment's
 * result must not fail on a typo after the deployment.
 *
 * Beyond the specification, as the AWS CLI does it: strings compare with < <= > >= (by code point),
 * `running` in backticks that hold no JSON is a string, and a list may follow a projection without
 * its dot, as in a[][b, c]. Unlike there, where they give null: !a.b is !(a.b), a.*.b.c projects to
 * its end, and so does a[0][1:].b.
 */
#ifndef TAP_JMESPATH_H
#define TAP_JMESPATH_H

#include <jansson.h>

#include "api.h"
#include "error.h"

TAP_API_BEGIN

enum {
    TAP_JMESPATH_MAX_TEXT = 32 * 1024, /* bytes of an expression */
    TAP_JMESPATH_MAX_DEPTH = 500,      /* levels of an expression */
    /* What one search may do, in steps (a node evaluated, a value visited or made, 16 bytes of text
     * read or made); some seconds. Bounds the result too, counted as it would be printed. */
    TAP_JMESPATH_MAX_STEPS = 32 * 1024 * 1024,
};

struct tap_jmespath; /* a compiled expression: immutable, any number of searches */

/* Compiles NUL-terminated UTF-8. TAP_E_PARSE with line and column; err->name is "syntax",
 * "unknown-function", "invalid-arity", "invalid-type" (an & where a value belongs, or none where it
 * has to be) or "invalid-value" (a slice whose step is 0). TAP_E_LIMIT: too long or too deep. The
 * caller frees *out with tap_jmespath_free; it is NULL after an error. */
tap_err tap_jmespath_compile(struct tap_jmespath **out, const char *text, struct tap_error *err);

/* Searches `input`. *out is a new reference, JSON null when nothing was found; it shares nodes with
 * the input and the expression: read it, do not change it. Objects keep the order of their keys.
 * TAP_E_USAGE with the place of the function's name in line and column: "invalid-type" or
 * "invalid-value". TAP_E_LIMIT: more than TAP_JMESPATH_MAX_STEPS, or a result that nests deeper
 * than TAP_MAX_DEPTH. *out is NULL after an error. */
tap_err tap_jmespath_search(json_t **out, const struct tap_jmespath *query, const json_t *input,
                            struct tap_error *err);

/* NULL is let through. */
void tap_jmespath_free(struct tap_jmespath *query);

TAP_API_END

#endif
