/*
 * What JMESPath says of values: their types, their truth, equality and order. Values can share
 * parts ([@, @] piped into itself doubles each time), so every walk takes from the run's budget.
 */
#include "jmespath_eval.h"

#include <string.h>

#include "json.h"

static const struct type {
    int bit;
    const char *name;
} types[] = {
    [JSON_OBJECT] = {TAP_JP_OBJECT, "object"},  [JSON_ARRAY] = {TAP_JP_ARRAY, "array"},
    [JSON_STRING] = {TAP_JP_STRING, "string"},  [JSON_INTEGER] = {TAP_JP_NUMBER, "number"},
    [JSON_REAL] = {TAP_JP_NUMBER, "number"},    [JSON_TRUE] = {TAP_JP_BOOLEAN, "boolean"},
    [JSON_FALSE] = {TAP_JP_BOOLEAN, "boolean"}, [JSON_NULL] = {TAP_JP_NULL, "null"},
};

int tap_jp_type(const json_t *value)
{
    return types[json_typeof(value)].bit;
}

const char *tap_jp_type_name(const json_t *value)
{
    return types[json_typeof(value)].name;
}

bool tap_jp_true(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE: return false;
    case JSON_STRING: return json_string_length(value) > 0;
    case JSON_ARRAY: return json_array_size(value) > 0;
    case JSON_OBJECT: return json_object_size(value) > 0;
    default: return true;
    }
}

static bool equal_arrays(struct tap_jp_run *run, bool *equal, const json_t *a, const json_t *b)
{
    *equal = json_array_size(a) == json_array_size(b);
    for (size_t i = 0; *equal && i < json_array_size(a); i++)
        if (!tap_jp_equal(run, equal, json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

static bool equal_objects(struct tap_jp_run *run, bool *equal, const json_t *a, const json_t *b)
{
    *equal = json_object_size(a) == json_object_size(b);
    for (void *at = json_object_iter((json_t *)a); at && *equal;
         at = json_object_iter_next((json_t *)a, at)) {
        const json_t *other =
            json_object_getn(b, json_object_iter_key(at), json_object_iter_key_len(at));
        *equal = other != NULL;
        if (other && !tap_jp_equal(run, equal, json_object_iter_value(at), other))
            return false;
    }
    return true;
}

bool tap_jp_equal(struct tap_jp_run *run, bool *equal, const json_t *a, const json_t *b)
{
    *equal = false;
    if (!tap_jp_spend(run, 1))
        return false;
    int type = tap_jp_type(a);
    if (type != tap_jp_type(b))
        return true;
    if (type == TAP_JP_ARRAY)
        return equal_arrays(run, equal, a, b);
    if (type == TAP_JP_OBJECT)
        return equal_objects(run, equal, a, b);
    int order = 0;
    if ((type == TAP_JP_NUMBER || type == TAP_JP_STRING) && !tap_jp_order(run, &order, a, b))
        return false;
    *equal = type == TAP_JP_BOOLEAN ? json_typeof(a) == json_typeof(b) : order == 0;
    return true;
}

bool tap_jp_order(struct tap_jp_run *run, int *order, const json_t *a, const json_t *b)
{
    if (json_is_string(a)) {
        size_t na = json_string_length(a), nb = json_string_length(b), n = na < nb ? na : nb;
        if (!tap_jp_spend(run, n / TAP_JP_BYTES_A_STEP))
            return false;
        int bytes = memcmp(json_string_value(a), json_string_value(b), n);
        *order = bytes ? bytes : (na > nb) - (na < nb);
    } else if (json_is_integer(a) && json_is_integer(b)) { /* exact above 2^53 too */
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        *order = (x > y) - (x < y);
    } else {
        double x = json_number_value(a), y = json_number_value(b);
        *order = (x > y) - (x < y);
    }
    return true;
}

static bool measure(struct tap_jp_run *run, const json_t *value, unsigned depth)
{
    if (!tap_jp_spend(run, 1 + json_string_length(value) / TAP_JP_BYTES_A_STEP))
        return false;
    if ((json_is_array(value) || json_is_object(value)) && ++depth > TAP_MAX_DEPTH) {
        run->code = tap_fail(run->err, TAP_E_LIMIT, "TooDeep",
                             "the query's result nests deeper than %d levels", TAP_MAX_DEPTH);
        return false;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!measure(run, json_array_get(value, i), depth))
            return false;
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at))
        if (!tap_jp_spend(run, json_object_iter_key_len(at) / TAP_JP_BYTES_A_STEP) ||
            !measure(run, json_object_iter_value(at), depth))
            return false;
    return true;
}

bool tap_jp_measure(struct tap_jp_run *run, const json_t *value)
{
    return measure(run, value, 0);
}
