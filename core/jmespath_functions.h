/*
 * The functions of JMESPath: what the parser checks of a call, what the evaluation runs. Private to
 * jmespath_*.c.
 */
#ifndef TAP_JMESPATH_FUNCTIONS_H
#define TAP_JMESPATH_FUNCTIONS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct tap_jp_node;
struct tap_jp_run;

enum { TAP_JP_ANY_NUMBER_OF_ARGS = UINT_MAX / 2 };

/* What an argument may be: some of these bits. */
enum {
    TAP_JP_NULL = 1 << 0,
    TAP_JP_BOOLEAN = 1 << 1,
    TAP_JP_NUMBER = 1 << 2,
    TAP_JP_STRING = 1 << 3,
    TAP_JP_ARRAY = 1 << 4,
    TAP_JP_OBJECT = 1 << 5,
    TAP_JP_NUMBERS = 1 << 6, /* an array that holds nothing else */
    TAP_JP_STRINGS = 1 << 7,
    TAP_JP_EXPRESSION = 1 << 8, /* &expression */
    TAP_JP_ANY = (1 << 6) - 1
};

/* Runs a call whose arguments were checked. args[i] is NULL where the call's item is a REF. A new
 * reference, or NULL when the run failed. */
typedef json_t *tap_jp_body(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args);

struct tap_jp_function {
    const char *name;
    tap_jp_body *body;
    unsigned least, most; /* number of arguments */
    int first, others;    /* what the first argument may be, and each after it */
};

/* NULL when there is none of this name. */
const struct tap_jp_function *tap_jp_function_find(const char *name, size_t len);
/* The name that is nearest to a wrong one; NULL when none is near. */
const char *tap_jp_function_nearest(const char *name);

/* Checks the types of evaluated arguments; false when the run failed. */
bool tap_jp_function_check(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args);

/* The bodies that stand in jmespath_order.c. */
tap_jp_body tap_jp_max, tap_jp_min, tap_jp_sort, tap_jp_max_by, tap_jp_min_by, tap_jp_sort_by;

#endif
