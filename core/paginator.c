/*
 * Pages. The expressions of the model are compiled once a paginator; what they find in an output
 * becomes the next input. botocore's rules decide what a missing token means, because the models
 * are written for it.
 */
#include "paginator.h"

#include <string.h>

#include "jmespath.h"
#include "json.h"
#include "mem.h"

/* One expression of the model. */
struct expression {
    const char *text; /* the model's */
    struct tap_jmespath *query;
};

struct expressions {
    struct expression *items;
    size_t n;
};

struct tap_paginator {
    const char *operation;    /* the model's */
    json_t *input;            /* of the next page; NULL: there is none */
    json_t *token;            /* what the last page pointed to: input member -> value */
    const json_t *input_keys; /* a name, or a list of names */
    struct expressions tokens, more, results, same;
};

/* ---- the model's description ---- */

const json_t *tap_paginator_of(const struct tap_model *model, const json_t *operation)
{
    const char *name = json_string_value(json_object_get(operation, "name"));
    return json_object_get(tap_model_part(model, "paginators"), name);
}

/* Models write one of something as itself, and several as a list. */
static size_t count(const json_t *one_or_list)
{
    return json_is_array(one_or_list) ? json_array_size(one_or_list) : one_or_list != NULL;
}

static const char *at(const json_t *one_or_list, size_t i)
{
    return json_string_value(json_is_array(one_or_list) ? json_array_get(one_or_list, i)
                                                        : one_or_list);
}

static tap_err compile(struct expressions *out, const json_t *one_or_list, struct tap_error *err)
{
    size_t n = count(one_or_list);
    out->items = tap_calloc(n, sizeof *out->items);
    for (size_t i = 0; i < n; i++) {
        const char *text = at(one_or_list, i);
        if (!text)
            return tap_fail(err, TAP_E_PARSE, "BadModel", "a paginator's expression is no text");
        out->items[i].text = text;
        if (tap_jmespath_compile(&out->items[i].query, text, err))
            return err->code;
        out->n++;
    }
    return TAP_OK;
}

static void expressions_fini(struct expressions *expressions)
{
    for (size_t i = 0; i < expressions->n; i++)
        tap_jmespath_free(expressions->items[i].query);
    tap_free(expressions->items);
}

static tap_err read_model(struct tap_paginator *pages, const json_t *described,
                          struct tap_error *err)
{
    const struct {
        struct expressions *out;
        const char *key;
    } parts[] = {
        {&pages->tokens, "output_token"},
        {&pages->more, "more_results"},
        {&pages->results, "result_key"},
        {&pages->same, "non_aggregate_keys"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (compile(parts[i].out, json_object_get(described, parts[i].key), err))
            return err->code;
    pages->input_keys = json_object_get(described, "input_token");
    if (count(pages->input_keys) != pages->tokens.n || !pages->results.n)
        return tap_fail(err, TAP_E_PARSE, "BadModel",
                        "the model's description of %s's pages is incomplete", pages->operation);
    return TAP_OK;
}

tap_err tap_paginator_new(struct tap_paginator **out, const struct tap_model *model,
                          const char *operation, const json_t *input, struct tap_error *err)
{
    struct tap_error ignored;
    if (!err)
        err = &ignored;
    *out = NULL;
    const json_t *found;
    if (tap_model_operation(&found, model, operation, err))
        return err->code;
    const char *name = json_string_value(json_object_get(found, "name"));
    const json_t *described = tap_paginator_of(model, found);
    if (!described)
        return tap_fail(err, TAP_E_USAGE, "NoPages",
                        "%s has no pages: one call gives all of its output", name);
    struct tap_paginator *pages = tap_alloc(sizeof *pages);
    pages->operation = name;
    pages->input = input ? json_copy((json_t *)input) : json_object();
    if (read_model(pages, described, err)) {
        tap_paginator_free(pages);
        return err->code;
    }
    *out = pages;
    return TAP_OK;
}

void tap_paginator_free(struct tap_paginator *pages)
{
    if (!pages)
        return;
    json_decref(pages->input);
    json_decref(pages->token);
    expressions_fini(&pages->tokens);
    expressions_fini(&pages->more);
    expressions_fini(&pages->results);
    expressions_fini(&pages->same);
    tap_free(pages);
}

const char *tap_paginator_operation(const struct tap_paginator *pages)
{
    return pages->operation;
}

json_t *tap_paginator_input(const struct tap_paginator *pages)
{
    return pages->input;
}

/* ---- from one page to the next ---- */

/* What services put where a token would stand when there is none. */
static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           ((json_is_array(value) || json_is_object(value)) && json_array_size(value) == 0 &&
            json_object_size(value) == 0);
}

/* *more: whether the page says that it is not the last one; true when it does not say at all. */
static tap_err read_more(bool *more, const struct tap_paginator *pages, const json_t *output,
                         struct tap_error *err)
{
    *more = true;
    if (!pages->more.n)
        return TAP_OK;
    json_t *flag;
    if (tap_jmespath_search(&flag, pages->more.items[0].query, output, err))
        return err->code;
    *more = !is_nothing(flag);
    json_decref(flag);
    return TAP_OK;
}

/* What the page points to: input member -> token. Empty after the last page. */
static tap_err read_token(json_t *token, const struct tap_paginator *pages, const json_t *output,
                          struct tap_error *err)
{
    bool more;
    if (read_more(&more, pages, output, err))
        return err->code;
    for (size_t i = 0; more && i < pages->tokens.n; i++) {
        json_t *value;
        if (tap_jmespath_search(&value, pages->tokens.items[i].query, output, err))
            return err->code;
        if (!is_nothing(value))
            json_object_set(token, at(pages->input_keys, i), value);
        json_decref(value);
    }
    return TAP_OK;
}

/* Points the input to the page of `token`; a token that it does not have must not stay either. */
static void turn(struct tap_paginator *pages, json_t *token)
{
    for (size_t i = 0; i < pages->tokens.n; i++) {
        const char *key = at(pages->input_keys, i);
        json_t *value = json_object_get(token, key);
        if (value)
            json_object_set(pages->input, key, value);
        else
            json_object_del(pages->input, key);
    }
}

static void end(struct tap_paginator *pages)
{
    json_decref(pages->input);
    pages->input = NULL;
}

tap_err tap_paginator_feed(struct tap_paginator *pages, const json_t *output, struct tap_error *err)
{
    json_t *token = json_object(), *before = pages->token;
    tap_err code = read_token(token, pages, output, err);
    if (code == TAP_OK && json_object_size(token) && before && json_equal(before, token))
        code = tap_fail(err, TAP_E_PROTOCOL, "RepeatedToken",
                        "%s: the service pointed to the same page twice, and would do so forever",
                        pages->operation);
    if (code || json_object_size(token) == 0)
        end(pages);
    else
        turn(pages, token);
    json_decref(before);
    pages->token = token;
    return code;
}

/* ---- what is in the pages ---- */

const char *tap_paginator_result(const struct tap_paginator *pages)
{
    return pages->results.items[0].text;
}

static json_t *sum(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer(json_integer_value(a) + json_integer_value(b));
    return json_real(json_number_value(a) + json_number_value(b));
}

static json_t *concatenation(const json_t *a, const json_t *b)
{
    size_t n = json_string_length(a), m = json_string_length(b);
    char *text = tap_alloc(n + m);
    memcpy(text, json_string_value(a), n);
    memcpy(text + n, json_string_value(b), m);
    json_t *joined = json_stringn(text, n + m);
    tap_free(text);
    return joined;
}

/* Adds `value` to what `parent` has under `key`. Containers of the whole are its own, so that none
 * of a page's is changed; their elements are shared with the pages. */
static void join(json_t *parent, const char *key, json_t *value)
{
    json_t *existing = json_object_get(parent, key);
    if (json_is_object(value)) {
        const char *name;
        json_t *member;
        if (!json_is_object(existing))
            json_object_set_new(parent, key, existing = json_object());
        json_object_foreach(value, name, member) join(existing, name, member);
    } else if (!existing) {
        json_object_set_new(parent, key,
                            json_is_array(value) ? json_copy(value) : json_incref(value));
    } else if (json_is_array(existing) && json_is_array(value)) {
        json_array_extend(existing, value);
    } else if (json_is_number(existing) && json_is_number(value)) {
        json_object_set_new(parent, key, sum(existing, value));
    } else if (json_is_string(existing) && json_is_string(value)) {
        json_object_set_new(parent, key, concatenation(existing, value));
    }
}

/* The same for a path of names: "DistributionList.Items". */
static void join_at(json_t *whole, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    if (!dot) {
        join(whole, path, value);
        return;
    }
    char *name = tap_strndup(path, (size_t)(dot - path));
    json_t *inner = json_object_get(whole, name);
    if (!json_is_object(inner))
        json_object_set_new(whole, name, inner = json_object());
    tap_free(name);
    join_at(inner, dot + 1, value);
}

static tap_err join_all(json_t *whole, const struct expressions *expressions, const json_t *output,
                        struct tap_error *err)
{
    for (size_t i = 0; i < expressions->n; i++) {
        json_t *value;
        if (tap_jmespath_search(&value, expressions->items[i].query, output, err))
            return err->code;
        if (!json_is_null(value))
            join_at(whole, expressions->items[i].text, value);
        json_decref(value);
    }
    return TAP_OK;
}

tap_err tap_paginator_merge(json_t *whole, const struct tap_paginator *pages, const json_t *output,
                            struct tap_error *err)
{
    bool is_first = !pages->token; /* none has been fed */
    tap_err code = join_all(whole, &pages->results, output, err);
    return code || !is_first ? code : join_all(whole, &pages->same, output, err);
}
