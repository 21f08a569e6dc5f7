/*
 * JMESPath: the last line is the JSON that is searched, what stands before it the expression. An
 * expression is refused with a place, or searches any number of times with one result, which prints
 * and reads back.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/jmespath.h"
#include "core/json.h"
#include "core/mem.h"

/* Takes the size of a value from *left. A result's parts can be shared, millions of times. */
static bool small(const json_t *value, size_t *left)
{
    size_t n = 1 + json_string_length(value);
    if (n > *left)
        return false;
    *left -= n;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!small(json_array_get(value, i), left))
            return false;
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at))
        if (!small(json_object_iter_value(at), left))
            return false;
    return true;
}

static void search(const struct tap_jmespath *query, const json_t *input)
{
    struct tap_error err = {0};
    json_t *result, *again;
    if (tap_jmespath_search(&result, query, input, &err)) {
        assert(!result && (err.code == TAP_E_LIMIT || (err.code == TAP_E_USAGE && err.column)));
        return;
    }
    size_t left = 100000;
    if (small(result, &left)) {
        assert(!tap_jmespath_search(&again, query, input, &err));
        assert(json_equal(result, again));
        json_decref(again);
        char *text = tap_json_print(result);
        assert(!tap_json_parse(&again, text, strlen(text), NULL, &err));
        tap_free(text);
        json_decref(again);
    }
    json_decref(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_jmespath *query;
    struct tap_error err = {0};
    const uint8_t *line = size ? memrchr(data, '\n', size) : NULL;
    size_t n = line ? (size_t)(line - data) : size;
    char *text = tap_strndup((const char *)data, n);
    json_t *input = NULL;
    if (line)
        tap_json_parse(&input, (const char *)line + 1, size - n - 1, NULL, NULL);
    if (tap_jmespath_compile(&query, text, &err))
        assert(!query && err.name[0] && (err.code == TAP_E_LIMIT || (err.line && err.column)));
    else
        search(query, input ? input : json_null());
    tap_jmespath_free(query);
    json_decref(input);
    tap_free(text);
    return 0;
}
