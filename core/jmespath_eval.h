/*
 * One search of a compiled expression: its budget and its error, and what JMESPath says of values.
 * Private to jmespath_*.c.
 *
 * Whatever returns a json_t * gives a new reference, or NULL when the run failed; whatever returns
 * a bool of success is false when it did. A run that failed is only unwound.
 */
#ifndef TAP_JMESPATH_EVAL_H
#define TAP_JMESPATH_EVAL_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "jmespath_ast.h"

struct tap_jp_run {
    const struct tap_jmespath *query;
    size_t steps; /* that are left */
    tap_err code;
    struct tap_error *err;
};

enum { TAP_JP_BYTES_A_STEP = 16 };

/* ---- running (jmespath_eval.c) ---- */

json_t *tap_jp_eval(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value);
/* Takes steps from the budget. */
bool tap_jp_spend(struct tap_jp_run *run, size_t steps);
/* Fails at the node; returns NULL. */
void *tap_jp_run_fail(struct tap_jp_run *run, const struct tap_jp_node *node, const char *name,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- values (jmespath_value.c) ---- */

/* The TAP_JP_NULL ... TAP_JP_OBJECT bit of a value. */
int tap_jp_type(const json_t *value);
/* "number" */
const char *tap_jp_type_name(const json_t *value);
/* False are null, false, and what is empty. */
bool tap_jp_true(const json_t *value);

/* Deep, numbers by value. */
bool tap_jp_equal(struct tap_jp_run *run, bool *equal, const json_t *a, const json_t *b);
/* Below, at or above 0. Both are numbers, or both strings (by code point). */
bool tap_jp_order(struct tap_jp_run *run, int *order, const json_t *a, const json_t *b);
/* Spends the size of a value, shared parts counted each time: what it takes to print it. Fails when
 * it is deeper than TAP_MAX_DEPTH. */
bool tap_jp_measure(struct tap_jp_run *run, const json_t *value);

#endif
