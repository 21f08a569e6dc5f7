/*
 * Building an operation's path and query: "/{Bucket}/{Key+}?acl" with the input's members in it.
 */
#include <string.h>

#include "mem.h"
#include "rest.h"
#include "text.h"

static const char TIME_FORMAT[] = "iso8601";

enum { MAX_TARGET = 1024 * 1024 };

struct target {
    const struct tap_model *model;
    const json_t *members, *input;
    struct tap_buf text;
    bool has_query;
    struct tap_error *err;
};

/* ---- path ---- */

/* The member that a label stands for; NULL when the model has none. */
static const char *labelled(const struct target *target, const char *label, size_t n)
{
    for (void *at = json_object_iter((json_t *)target->members); at;
         at = json_object_iter_next((json_t *)target->members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const char *name = tap_wire_own_name(ref, member);
        if (strcmp(tap_rest_location(ref), "uri") == 0 && strlen(name) == n &&
            memcmp(name, label, n) == 0)
            return member;
    }
    return NULL;
}

/* How much of a label's value repeats the path before it: Route 53 answers with ids such as
 * "/hostedzone/Z1", which stand at ".../hostedzone/{Id}". */
static size_t repeated(const struct target *target, const struct tap_buf *value)
{
    const char *path = tap_buf_text(&target->text);
    size_t n = target->text.len;
    const char *segment = n > 1 && path[n - 1] == '/' ? memrchr(path, '/', n - 1) : NULL;
    size_t length = segment ? (size_t)(path + n - segment) : 0;
    bool repeats = length > 2 && value->len > length && memcmp(value->data, segment, length) == 0;
    return repeats ? length : 0;
}

/* {Name}, or {Name+}, which keeps its slashes. */
static tap_err put_label(struct target *target, const char *label, size_t n)
{
    bool greedy = n && label[n - 1] == '+';
    const char *member = labelled(target, label, greedy ? n - 1 : n);
    const json_t *value = member ? json_object_get(target->input, member) : NULL;
    if (!member)
        return tap_fail(target->err, TAP_E_PROTOCOL, "BrokenModel",
                        "the model of %s has no member for the label {%.*s}",
                        tap_model_service(target->model), (int)n, label);
    if (!value || json_is_null(value))
        return tap_fail(target->err, TAP_E_USAGE, "InvalidInput",
                        "%s: required, because it becomes a part of the address", member);
    struct tap_buf text;
    tap_buf_init(&text, MAX_TARGET);
    tap_err code =
        tap_rest_write_text(&text, target->model, member, json_object_get(target->members, member),
                            TIME_FORMAT, value, target->err);
    if (!code && !text.len)
        code = tap_fail(target->err, TAP_E_USAGE, "InvalidInput",
                        "%s: must not be empty, because it becomes a part of the address", member);
    size_t skip = greedy ? 0 : repeated(target, &text);
    tap_uri_encode(&target->text, tap_buf_text(&text) + skip, text.len - skip, greedy ? "/" : "");
    tap_buf_fini(&text);
    return code;
}

static tap_err put_path(struct target *target, const char *path, size_t n)
{
    const char *end = path + n;
    tap_err code = TAP_OK;
    while (path < end && !code) {
        const char *open = memchr(path, '{', (size_t)(end - path));
        const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;
        if (!close)
            break;
        tap_buf_add(&target->text, path, (size_t)(open - path));
        code = put_label(target, open + 1, (size_t)(close - open) - 1);
        path = close + 1;
    }
    tap_buf_add(&target->text, path, (size_t)(end - path));
    return code;
}

/* ---- query ---- */

static void put_pair(struct target *target, const char *name, const char *value, size_t n)
{
    tap_buf_putc(&target->text, target->has_query ? '&' : '?');
    target->has_query = true;
    tap_uri_encode(&target->text, name, strlen(name), "");
    tap_buf_putc(&target->text, '=');
    tap_uri_encode(&target->text, value, n, "");
}

static tap_err put_parameter(struct target *target, const char *name, const char *member,
                             const json_t *ref, const json_t *value)
{
    const json_t *shape = tap_ref_shape(target->model, ref);
    tap_err code = TAP_OK;
    if (tap_shape_kind(shape) == TAP_SHAPE_LIST) {
        for (size_t i = 0; i < json_array_size(value) && !code; i++)
            code = put_parameter(target, name, member, json_object_get(shape, "member"),
                                 json_array_get(value, i));
        return code;
    }
    if (json_is_null(value))
        return TAP_OK;
    struct tap_buf text;
    tap_buf_init(&text, MAX_TARGET);
    code = tap_rest_write_text(&text, target->model, member, ref, TIME_FORMAT, value, target->err);
    if (!code)
        put_pair(target, name, tap_buf_text(&text), text.len);
    tap_buf_fini_secret(&text);
    return code;
}

/* True when a member of its own stands for that parameter, and is given: it wins over a map. */
static bool is_named(const struct target *target, const char *name)
{
    for (void *at = json_object_iter((json_t *)target->members); at;
         at = json_object_iter_next((json_t *)target->members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *shape = tap_ref_shape(target->model, ref);
        if (strcmp(tap_rest_location(ref), "querystring") == 0 &&
            tap_shape_kind(shape) != TAP_SHAPE_MAP && json_object_get(target->input, member) &&
            strcmp(tap_wire_own_name(ref, member), name) == 0)
            return true;
    }
    return false;
}

/* A map's keys are names of parameters. */
static tap_err put_map(struct target *target, const char *member, const json_t *shape,
                       const json_t *map)
{
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)map); at && !code;
         at = json_object_iter_next((json_t *)map, at))
        if (!is_named(target, json_object_iter_key(at)))
            code = put_parameter(target, json_object_iter_key(at), member,
                                 json_object_get(shape, "value"), json_object_iter_value(at));
    return code;
}

static tap_err put_query(struct target *target)
{
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)target->members); at && !code;
         at = json_object_iter_next((json_t *)target->members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *value = json_object_get(target->input, member);
        const json_t *shape = tap_ref_shape(target->model, ref);
        if (strcmp(tap_rest_location(ref), "querystring") != 0 || !value || json_is_null(value))
            continue;
        if (tap_shape_kind(shape) == TAP_SHAPE_MAP)
            code = put_map(target, member, shape, value);
        else
            code = put_parameter(target, tap_wire_own_name(ref, member), member, ref, value);
    }
    return code;
}

tap_err tap_rest_build_target(char **out, const struct tap_model *model, const json_t *operation,
                              const json_t *input, struct tap_error *err)
{
    const char *uri =
        json_string_value(json_object_get(json_object_get(operation, "http"), "requestUri"));
    const json_t *ref = json_object_get(operation, "input");
    const json_t *shape = ref ? tap_ref_shape(model, ref) : NULL;
    struct target target = {
        .model = model,
        .members = json_object_get(shape, "members"),
        .input = input,
        .err = err,
    };
    tap_buf_init(&target.text, MAX_TARGET);
    uri = uri ? uri : "/";
    size_t path = strcspn(uri, "?");
    *out = NULL;
    tap_err code = put_path(&target, uri, path);
    target.has_query = uri[path] == '?';
    tap_buf_puts(&target.text, uri + path);
    if (!code)
        code = put_query(&target);
    if (!code && target.text.overflow)
        code = tap_fail(err, TAP_E_LIMIT, "TooLarge", "the address is longer than %d bytes",
                        MAX_TARGET);
    if (!code)
        *out = tap_buf_take(&target.text, NULL);
    tap_buf_fini(&target.text);
    return code;
}
