/*
 * The functions of JMESPath: one table with their names, numbers and types of arguments, and a
 * short body for each. Bodies rely on the table: arguments have the types that it names.
 */
#include "jmespath_functions.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "jmespath_eval.h"
#include "json.h"
#include "mem.h"
#include "text.h"

/* ---- numbers ---- */

static json_t *real(struct tap_jp_run *run, const struct tap_jp_node *call, double number)
{
    if (isfinite(number))
        return json_real(number);
    return tap_jp_run_fail(run, call, "invalid-value",
                           "the result of %s() is larger than a number can be",
                           call->function->name);
}

/* A whole number stays an integer where it fits. */
static json_t *whole(struct tap_jp_run *run, const struct tap_jp_node *call, double number)
{
    if (number >= -0x1p63 && number < 0x1p63)
        return json_integer((json_int_t)number);
    return real(run, call, number);
}

static json_t *f_abs(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    json_int_t number = json_integer_value(args[0]);
    if (json_is_integer(args[0]) && number > INT64_MIN)
        return json_integer(number < 0 ? -number : number);
    return real(run, call, fabs(json_number_value(args[0])));
}

static json_t *f_ceil(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    if (json_is_integer(args[0]))
        return json_incref(args[0]);
    return whole(run, call, ceil(json_real_value(args[0])));
}

static json_t *f_floor(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    if (json_is_integer(args[0]))
        return json_incref(args[0]);
    return whole(run, call, floor(json_real_value(args[0])));
}

static double sum_of(const json_t *array)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(array); i++)
        sum += json_number_value(json_array_get(array, i));
    return sum;
}

/* Of integers it is an integer, as long as it fits. */
static json_t *f_sum(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    json_int_t sum = 0;
    for (size_t i = 0; i < json_array_size(args[0]); i++) {
        const json_t *number = json_array_get(args[0], i);
        if (!json_is_integer(number) ||
            __builtin_add_overflow(sum, json_integer_value(number), &sum))
            return real(run, call, sum_of(args[0]));
    }
    return json_integer(sum);
}

static json_t *f_avg(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    size_t n = json_array_size(args[0]);
    return n ? real(run, call, sum_of(args[0]) / (double)n) : json_null();
}

/* ---- strings ---- */

static bool is_character_start(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* The place of `part` in `text`, or NULL. */
static const char *find(const json_t *text, const json_t *part)
{
    return memmem(json_string_value(text), json_string_length(text), json_string_value(part),
                  json_string_length(part));
}

static json_t *f_starts_with(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)run, (void)call;
    size_t n = json_string_length(args[1]);
    return json_boolean(json_string_length(args[0]) >= n &&
                        memcmp(json_string_value(args[0]), json_string_value(args[1]), n) == 0);
}

static json_t *f_ends_with(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)run, (void)call;
    size_t all = json_string_length(args[0]), n = json_string_length(args[1]);
    return json_boolean(all >= n && memcmp(json_string_value(args[0]) + all - n,
                                           json_string_value(args[1]), n) == 0);
}

static json_t *f_join(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    struct tap_buf text;
    tap_buf_init(&text, (size_t)TAP_MAX_DOCUMENT);
    bool good = true;
    for (size_t i = 0; good && i < json_array_size(args[1]); i++) {
        const json_t *part = json_array_get(args[1], i);
        size_t before = i ? json_string_length(args[0]) : 0, n = json_string_length(part);
        good = tap_jp_spend(run, 1 + (before + n) / TAP_JP_BYTES_A_STEP);
        tap_buf_add(&text, json_string_value(args[0]), before);
        tap_buf_add(&text, json_string_value(part), n);
    }
    if (good && text.overflow)
        good = tap_jp_spend(run, SIZE_MAX);
    json_t *result = good ? json_stringn_nocheck(tap_buf_text(&text), text.len) : NULL;
    tap_buf_fini(&text);
    return result;
}

/* Character by character, the last first. */
static json_t *reverse_string(struct tap_jp_run *run, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    if (!tap_jp_spend(run, n / TAP_JP_BYTES_A_STEP))
        return NULL;
    char *reversed = tap_alloc(n + 1);
    for (size_t end = n, at = 0; end > 0;) {
        size_t start = end - 1;
        while (start > 0 && !is_character_start(text[start]))
            start--;
        memcpy(reversed + at, text + start, end - start);
        at += end - start;
        end = start;
    }
    json_t *result = json_stringn_nocheck(reversed, n);
    tap_free(reversed);
    return result;
}

/* ---- strings and arrays ---- */

static json_t *f_reverse(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    if (json_is_string(args[0]))
        return reverse_string(run, args[0]);
    size_t n = json_array_size(args[0]);
    if (!tap_jp_spend(run, n))
        return NULL;
    json_t *result = json_array();
    while (n > 0)
        json_array_append(result, json_array_get(args[0], --n));
    return result;
}

static json_t *f_contains(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    bool found = false;
    if (json_is_string(args[0])) {
        if (!tap_jp_spend(run, json_string_length(args[0]) / TAP_JP_BYTES_A_STEP))
            return NULL;
        return json_boolean(json_is_string(args[1]) && find(args[0], args[1]));
    }
    for (size_t i = 0; !found && i < json_array_size(args[0]); i++)
        if (!tap_jp_equal(run, &found, json_array_get(args[0], i), args[1]))
            return NULL;
    return json_boolean(found);
}

static json_t *f_length(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    size_t bytes = json_string_length(args[0]);
    if (!tap_jp_spend(run, bytes / TAP_JP_BYTES_A_STEP))
        return NULL;
    size_t n = json_array_size(args[0]) + json_object_size(args[0]);
    for (size_t i = 0; i < bytes; i++)
        n += is_character_start(json_string_value(args[0])[i]);
    return json_integer((json_int_t)n);
}

static json_t *f_map(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    json_t *result = json_array();
    for (size_t i = 0; i < json_array_size(args[1]); i++) {
        json_t *mapped = tap_jp_eval(run, call->items[0]->left, json_array_get(args[1], i));
        if (!mapped) {
            json_decref(result);
            return NULL;
        }
        json_array_append_new(result, mapped);
    }
    return result;
}

/* ---- objects ---- */

static json_t *f_keys(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    json_t *result = json_array();
    for (void *at = json_object_iter(args[0]); at; at = json_object_iter_next(args[0], at)) {
        size_t n = json_object_iter_key_len(at);
        if (!tap_jp_spend(run, 1 + n / TAP_JP_BYTES_A_STEP)) {
            json_decref(result);
            return NULL;
        }
        json_array_append_new(result, json_stringn_nocheck(json_object_iter_key(at), n));
    }
    return result;
}

static json_t *f_values(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    if (!tap_jp_spend(run, json_object_size(args[0])))
        return NULL;
    json_t *result = json_array();
    for (void *at = json_object_iter(args[0]); at; at = json_object_iter_next(args[0], at))
        json_array_append(result, json_object_iter_value(at));
    return result;
}

static json_t *f_merge(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    json_t *result = json_object();
    for (size_t i = 0; i < call->n; i++) {
        if (!tap_jp_spend(run, 4 * json_object_size(args[i]))) { /* as entries of a hash */
            json_decref(result);
            return NULL;
        }
        json_object_update(result, args[i]);
    }
    return result;
}

/* ---- any type ---- */

static json_t *f_type(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)run, (void)call;
    return json_string(tap_jp_type_name(args[0]));
}

static json_t *f_not_null(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)run;
    for (size_t i = 0; i < call->n; i++)
        if (!json_is_null(args[i]))
            return json_incref(args[i]);
    return json_null();
}

static json_t *f_to_array(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)run, (void)call;
    if (json_is_array(args[0]))
        return json_incref(args[0]);
    json_t *result = json_array();
    json_array_append(result, args[0]);
    return result;
}

/* Of a string that is a JSON number; whatever else it is, null. */
static json_t *f_to_number(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    const char *text = json_string_value(args[0]);
    size_t n = json_string_length(args[0]);
    if (json_is_number(args[0]))
        return json_incref(args[0]);
    if (n == 0 || strspn(text, "0123456789+-.eE") != n)
        return json_null();
    if (!tap_jp_spend(run, n / TAP_JP_BYTES_A_STEP))
        return NULL;
    json_t *number = json_loadb(text, n, JSON_DECODE_ANY, NULL);
    if (!number) /* more digits than an integer has */
        number = json_loadb(text, n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    return number ? number : json_null();
}

static json_t *f_to_string(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    (void)call;
    if (json_is_string(args[0]))
        return json_incref(args[0]);
    if (!tap_jp_measure(run, args[0]))
        return NULL;
    char *text = tap_json_print(args[0]);
    json_t *result = json_string_nocheck(text);
    tap_free(text);
    return result;
}

/* ---- the table ---- */

enum {
    ANY = TAP_JP_ANY,
    NUMBER = TAP_JP_NUMBER,
    STRING = TAP_JP_STRING,
    ARRAY = TAP_JP_ARRAY,
    OBJECT = TAP_JP_OBJECT,
    NUMBERS = TAP_JP_NUMBERS,
    STRINGS = TAP_JP_STRINGS,
    EXPRESSION = TAP_JP_EXPRESSION,
    MANY = TAP_JP_ANY_NUMBER_OF_ARGS
};

static const struct tap_jp_function functions[] = {
    {"abs", f_abs, 1, 1, NUMBER, 0},
    {"avg", f_avg, 1, 1, NUMBERS, 0},
    {"ceil", f_ceil, 1, 1, NUMBER, 0},
    {"contains", f_contains, 2, 2, ARRAY | STRING, ANY},
    {"ends_with", f_ends_with, 2, 2, STRING, STRING},
    {"floor", f_floor, 1, 1, NUMBER, 0},
    {"join", f_join, 2, 2, STRING, STRINGS},
    {"keys", f_keys, 1, 1, OBJECT, 0},
    {"length", f_length, 1, 1, STRING | ARRAY | OBJECT, 0},
    {"map", f_map, 2, 2, EXPRESSION, ARRAY},
    {"max", tap_jp_max, 1, 1, NUMBERS | STRINGS, 0},
    {"max_by", tap_jp_max_by, 2, 2, ARRAY, EXPRESSION},
    {"merge", f_merge, 0, MANY, OBJECT, OBJECT},
    {"min", tap_jp_min, 1, 1, NUMBERS | STRINGS, 0},
    {"min_by", tap_jp_min_by, 2, 2, ARRAY, EXPRESSION},
    {"not_null", f_not_null, 1, MANY, ANY, ANY},
    {"reverse", f_reverse, 1, 1, ARRAY | STRING, 0},
    {"sort", tap_jp_sort, 1, 1, NUMBERS | STRINGS, 0},
    {"sort_by", tap_jp_sort_by, 2, 2, ARRAY, EXPRESSION},
    {"starts_with", f_starts_with, 2, 2, STRING, STRING},
    {"sum", f_sum, 1, 1, NUMBERS, 0},
    {"to_array", f_to_array, 1, 1, ANY, 0},
    {"to_number", f_to_number, 1, 1, ANY, 0},
    {"to_string", f_to_string, 1, 1, ANY, 0},
    {"type", f_type, 1, 1, ANY, 0},
    {"values", f_values, 1, 1, OBJECT, 0},
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

const struct tap_jp_function *tap_jp_function_find(const char *name, size_t len)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (strncmp(functions[i].name, name, len) == 0 && functions[i].name[len] == '\0')
            return &functions[i];
    return NULL;
}

const char *tap_jp_function_nearest(const char *name)
{
    const char *names[FUNCTIONS];
    for (size_t i = 0; i < FUNCTIONS; i++)
        names[i] = functions[i].name;
    return tap_nearest(name, names, FUNCTIONS);
}

/* ---- types of arguments ---- */

/* "a string or an array of numbers" */
static void describe(struct tap_buf *out, int types)
{
    static const struct {
        int bit;
        const char *name;
    } names[] = {
        {TAP_JP_NUMBER, "a number"},
        {TAP_JP_STRING, "a string"},
        {TAP_JP_ARRAY, "an array"},
        {TAP_JP_OBJECT, "an object"},
        {TAP_JP_NUMBERS, "an array of numbers"},
        {TAP_JP_STRINGS, "an array of strings"},
    };
    tap_buf_init(out, 256);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (types & names[i].bit)
            tap_buf_printf(out, "%s%s", out->len ? " or " : "", names[i].name);
}

/* Fails: argument i is `value`, or an array whose element `at` is. */
static bool wrong_type(struct tap_jp_run *run, const struct tap_jp_node *call, size_t i, int wanted,
                       const json_t *value, const size_t *at)
{
    struct tap_buf types;
    char element[64] = "";
    describe(&types, wanted);
    if (at)
        snprintf(element, sizeof element, ", in element %zu", *at);
    tap_jp_run_fail(run, call, "invalid-type", "argument %zu of %s() is %s; it got %s%s", i + 1,
                    call->function->name, tap_buf_text(&types), tap_jp_type_name(value), element);
    tap_buf_fini(&types);
    return false;
}

/* All elements are numbers, or all are strings, as `wanted` allows. */
static bool check_elements(struct tap_jp_run *run, const struct tap_jp_node *call, size_t i,
                           int wanted, const json_t *array)
{
    int both = (wanted & NUMBERS ? NUMBER : 0) | (wanted & STRINGS ? STRING : 0);
    if (!tap_jp_spend(run, json_array_size(array)))
        return false;
    for (size_t at = 0; at < json_array_size(array); at++) {
        const json_t *element = json_array_get(array, at);
        int type = tap_jp_type(element);
        if (!(type & both))
            return wrong_type(run, call, i, wanted, element, &at);
        both = type; /* that of the first is that of all */
    }
    return true;
}

bool tap_jp_function_check(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    for (size_t i = 0; i < call->n; i++) {
        int wanted = i == 0 ? call->function->first : call->function->others;
        if (wanted == EXPRESSION || tap_jp_type(args[i]) & wanted)
            continue;
        if (!json_is_array(args[i]) || !(wanted & (NUMBERS | STRINGS)))
            return wrong_type(run, call, i, wanted, args[i], NULL);
        if (!check_elements(run, call, i, wanted, args[i]))
            return false;
    }
    return true;
}
