/*
 * JMESPath's way in: an expression's life, and the frame around one search.
 */
#include "jmespath.h"

#include <string.h>

#include "jmespath_ast.h"
#include "jmespath_eval.h"
#include "mem.h"
#include "text.h"

tap_err tap_jmespath_compile(struct tap_jmespath **out, const char *text, struct tap_error *err)
{
    *out = NULL;
    size_t len = strlen(text);
    if (len > TAP_JMESPATH_MAX_TEXT)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge",
                        "the expression has %zu bytes; at most %d are read", len,
                        TAP_JMESPATH_MAX_TEXT);
    if (!tap_utf8_valid(text, len))
        return tap_fail_at(err, NULL, 1, 1, "syntax", "the expression is not UTF-8");
    struct tap_jmespath *query = tap_alloc(sizeof *query);
    query->text = tap_strdup(text);
    tap_err code = tap_jp_parse(query, err);
    if (code)
        tap_jmespath_free(query);
    else
        *out = query;
    return code;
}

tap_err tap_jmespath_search(json_t **out, const struct tap_jmespath *query, const json_t *input,
                            struct tap_error *err)
{
    struct tap_jp_run run = {.query = query, .steps = TAP_JMESPATH_MAX_STEPS, .err = err};
    *out = tap_jp_eval(&run, query->root, (json_t *)input); /* only its reference count changes */
    if (*out && !tap_jp_measure(&run, *out)) {
        json_decref(*out);
        *out = NULL;
    }
    return run.code;
}

void tap_jmespath_free(struct tap_jmespath *query)
{
    if (!query)
        return;
    for (struct tap_jp_node *node = query->nodes, *next; node; node = next) {
        next = node->next;
        json_decref(node->value);
        tap_free(node->items);
        tap_free(node);
    }
    tap_free(query->text);
    tap_free(query);
}
