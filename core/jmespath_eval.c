/*
 * Searching: one small function for each kind of node. Recursion is bounded by the depth that the
 * parser allows, time and memory by the run's budget; what a search returns shares its nodes with
 * the input.
 */
#include "jmespath_eval.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jmespath.h"
#include "jmespath_lex.h"
#include "mem.h"

/* ---- the run ---- */

bool tap_jp_spend(struct tap_jp_run *run, size_t steps)
{
    if (steps <= run->steps) {
        run->steps -= steps;
        return true;
    }
    run->steps = 0;
    if (!run->code)
        run->code = tap_fail(run->err, TAP_E_LIMIT, "TooLarge",
                             "the query takes more than %d steps, or its result is as large",
                             TAP_JMESPATH_MAX_STEPS);
    return false;
}

void *tap_jp_run_fail(struct tap_jp_run *run, const struct tap_jp_node *node, const char *name,
                      const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    run->code = tap_jp_fail(run->query->text, node->at, TAP_E_USAGE, name, run->err, "%s", what);
    return NULL;
}

/* ---- leaves ---- */

static json_t *eval_current(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    (void)run, (void)node;
    return json_incref(value);
}

static json_t *eval_literal(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    (void)run, (void)value;
    return json_incref(node->value);
}

static json_t *eval_field(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    (void)run;
    json_t *member =
        json_object_getn(value, json_string_value(node->value), json_string_length(node->value));
    return member ? json_incref(member) : json_null();
}

/* ---- what works on an array or object to its left ---- */

/* The left side's value when it is of `type`. Otherwise NULL, and *other is what the node gives:
 * null, or NULL when the run failed. */
static json_t *left_of_type(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value,
                            json_type type, json_t **other)
{
    json_t *left = tap_jp_eval(run, node->left, value);
    *other = left ? json_null() : NULL;
    if (!left || json_typeof(left) == type)
        return left;
    json_decref(left);
    return NULL;
}

/* Frees a result that will not be finished. */
static json_t *give_up(json_t *result)
{
    json_decref(result);
    return NULL;
}

static json_t *eval_index(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *other, *array = left_of_type(run, node, value, JSON_ARRAY, &other);
    if (!array)
        return other;
    long long n = (long long)json_array_size(array);
    long long i = node->index < 0 ? node->index + n : node->index;
    json_t *element = i >= 0 && i < n ? json_array_get(array, (size_t)i) : NULL;
    json_t *result = element ? json_incref(element) : json_null();
    json_decref(array);
    return result;
}

/* Where a slice begins or ends: counted from the end when negative, cut to what the array has (and
 * one place before it when the slice runs backwards). */
static long long slice_bound(long long at, long long n, long long step)
{
    if (at < 0)
        at += n;
    if (at < 0)
        return step < 0 ? -1 : 0;
    if (at >= n)
        return step < 0 ? n - 1 : n;
    return at;
}

static json_t *eval_slice(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *other, *array = left_of_type(run, node, value, JSON_ARRAY, &other);
    if (!array)
        return other;
    const struct tap_jp_slice *slice = &node->slice;
    long long n = (long long)json_array_size(array), step = slice->step;
    long long start = step < 0 ? n - 1 : 0, stop = step < 0 ? -1 : n;
    if (slice->has_start)
        start = slice_bound(slice->start, n, step);
    if (slice->has_stop)
        stop = slice_bound(slice->stop, n, step);
    json_t *result = json_array();
    for (long long i = start; step < 0 ? i > stop : i < stop; i += step)
        json_array_append(result, json_array_get(array, (size_t)i));
    if (!tap_jp_spend(run, json_array_size(result)))
        result = give_up(result);
    json_decref(array);
    return result;
}

static json_t *eval_values(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *other, *object = left_of_type(run, node, value, JSON_OBJECT, &other);
    if (!object)
        return other;
    json_t *result = json_array();
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        json_array_append(result, json_object_iter_value(at));
    if (!tap_jp_spend(run, json_array_size(result)))
        result = give_up(result);
    json_decref(object);
    return result;
}

static json_t *eval_flatten(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *other, *array = left_of_type(run, node, value, JSON_ARRAY, &other);
    if (!array)
        return other;
    json_t *result = json_array();
    for (size_t i = 0; result && i < json_array_size(array); i++) {
        json_t *element = json_array_get(array, i);
        if (!tap_jp_spend(run, 1 + json_array_size(element)))
            result = give_up(result);
        else if (json_is_array(element))
            json_array_extend(result, element);
        else
            json_array_append(result, element);
    }
    json_decref(array);
    return result;
}

static json_t *eval_filter(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *other, *array = left_of_type(run, node, value, JSON_ARRAY, &other);
    if (!array)
        return other;
    json_t *result = json_array();
    for (size_t i = 0; result && i < json_array_size(array); i++) {
        json_t *element = json_array_get(array, i);
        json_t *condition = tap_jp_eval(run, node->right, element);
        if (!condition)
            result = give_up(result);
        else if (tap_jp_true(condition))
            json_array_append(result, element);
        json_decref(condition);
    }
    json_decref(array);
    return result;
}

static json_t *eval_project(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *other, *array = left_of_type(run, node, value, JSON_ARRAY, &other);
    if (!array)
        return other;
    json_t *result = json_array();
    for (size_t i = 0; result && i < json_array_size(array); i++) {
        json_t *element = tap_jp_eval(run, node->right, json_array_get(array, i));
        if (!element)
            result = give_up(result);
        else if (json_is_null(element))
            json_decref(element);
        else
            json_array_append_new(result, element);
    }
    json_decref(array);
    return result;
}

/* ---- operators ---- */

static json_t *eval_then(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *left = tap_jp_eval(run, node->left, value);
    if (!left)
        return NULL;
    json_t *result = tap_jp_eval(run, node->right, left);
    json_decref(left);
    return result;
}

/* a || b is a when that is true, a && b when it is not. */
static json_t *eval_or_and(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *left = tap_jp_eval(run, node->left, value);
    if (!left || tap_jp_true(left) == (node->kind == TAP_JP_OR))
        return left;
    json_decref(left);
    return tap_jp_eval(run, node->right, value);
}

static json_t *eval_not(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *left = tap_jp_eval(run, node->left, value);
    if (!left)
        return NULL;
    bool is = tap_jp_true(left);
    json_decref(left);
    return json_boolean(!is);
}

/* Order exists between two numbers and between two strings; else the result is null. */
static json_t *compare(struct tap_jp_run *run, enum tap_jp_comparator comparator, const json_t *a,
                       const json_t *b)
{
    bool equal;
    int order, type = tap_jp_type(a);
    if (comparator == TAP_JP_EQUAL || comparator == TAP_JP_NOT_EQUAL) {
        if (!tap_jp_equal(run, &equal, a, b))
            return NULL;
        return json_boolean(equal == (comparator == TAP_JP_EQUAL));
    }
    if (type != tap_jp_type(b) || !(type & (TAP_JP_NUMBER | TAP_JP_STRING)))
        return json_null();
    if (!tap_jp_order(run, &order, a, b))
        return NULL;
    switch (comparator) {
    case TAP_JP_LESS: return json_boolean(order < 0);
    case TAP_JP_LESS_EQUAL: return json_boolean(order <= 0);
    case TAP_JP_GREATER: return json_boolean(order > 0);
    default: return json_boolean(order >= 0);
    }
}

static json_t *eval_compare(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t *result = NULL, *left = tap_jp_eval(run, node->left, value);
    json_t *right = left ? tap_jp_eval(run, node->right, value) : NULL;
    if (right)
        result = compare(run, node->comparator, left, right);
    json_decref(left);
    json_decref(right);
    return result;
}

/* ---- what makes values ---- */

static json_t *eval_list(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    if (json_is_null(value))
        return json_null();
    json_t *result = json_array();
    for (size_t i = 0; result && i < node->n; i++) {
        json_t *element = tap_jp_eval(run, node->items[i], value);
        if (element)
            json_array_append_new(result, element);
        else
            result = give_up(result);
    }
    return result;
}

static json_t *eval_hash(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    if (json_is_null(value))
        return json_null();
    json_t *result = json_object();
    for (size_t i = 0; result && i < node->n; i++) {
        const struct tap_jp_node *pair = node->items[i];
        json_t *member = tap_jp_eval(run, pair->left, value);
        if (member && tap_jp_spend(run, 4)) /* an entry of an object takes more memory */
            json_object_setn_new(result, json_string_value(pair->value),
                                 json_string_length(pair->value), member);
        else
            result = give_up(result);
    }
    return result;
}

static json_t *eval_call(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    json_t **args = tap_calloc(node->n + 1, sizeof(json_t *)), *result = NULL;
    bool good = true;
    for (size_t i = 0; good && i < node->n; i++)
        if (node->items[i]->kind != TAP_JP_REF)
            good = (args[i] = tap_jp_eval(run, node->items[i], value)) != NULL;
    if (good && tap_jp_function_check(run, node, args))
        result = node->function->body(run, node, args);
    for (size_t i = 0; i < node->n; i++)
        json_decref(args[i]);
    tap_free(args);
    return result;
}

/* ---- all of them ---- */

typedef json_t *evaluate(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value);

static evaluate *const kinds[TAP_JP_KINDS] = {
    [TAP_JP_CURRENT] = eval_current, [TAP_JP_LITERAL] = eval_literal,
    [TAP_JP_FIELD] = eval_field,     [TAP_JP_INDEX] = eval_index,
    [TAP_JP_SLICE] = eval_slice,     [TAP_JP_VALUES] = eval_values,
    [TAP_JP_FLATTEN] = eval_flatten, [TAP_JP_FILTER] = eval_filter,
    [TAP_JP_PROJECT] = eval_project, [TAP_JP_THEN] = eval_then,
    [TAP_JP_OR] = eval_or_and,       [TAP_JP_AND] = eval_or_and,
    [TAP_JP_NOT] = eval_not,         [TAP_JP_COMPARE] = eval_compare,
    [TAP_JP_LIST] = eval_list,       [TAP_JP_HASH] = eval_hash,
    [TAP_JP_CALL] = eval_call,
};

json_t *tap_jp_eval(struct tap_jp_run *run, const struct tap_jp_node *node, json_t *value)
{
    assert(kinds[node->kind]); /* PAIR and REF have no value of their own */
    return tap_jp_spend(run, 1) ? kinds[node->kind](run, node, value) : NULL;
}
