/*
 * Finding the operation that a request is for, by method, path and query, and reading the members
 * that stand in them. Several operations may share a path (S3 tells PutObject from UploadPart by a
 * parameter that is required, and GetObject from GetObjectAcl by a fixed one), so every operation
 * that fits gets a rank, and the highest is it.
 */
#include <string.h>

#include "mem.h"
#include "protocol_request.h"
#include "rest.h"
#include "text.h"

enum { MAX_PARAMETERS = 10000 };

struct route {
    const struct tap_model *model;
    const struct tap_request *request;
    const char *path; /* as it stands on the wire */
    size_t path_n;
    const json_t *query; /* name -> list of values */
};

/* Higher is more specific. In the order of their weight. */
struct rank {
    int literal;  /* bytes of the path that are no label */
    int fixed;    /* parameters that the operation's address has */
    int missing;  /* required members that the request does not have, negative */
    int required; /* those that it has */
    int current;  /* 1: not deprecated */
};

/* ---- the query ---- */

static bool add_parameter(json_t *query, const char *text, size_t n)
{
    const char *equals = memchr(text, '=', n);
    size_t name_n = equals ? (size_t)(equals - text) : n;
    struct tap_buf name, value;
    tap_buf_init(&name, n);
    tap_buf_init(&value, n);
    bool good = tap_uri_decode(&name, text, name_n, true) &&
                (!equals || tap_uri_decode(&value, equals + 1, n - name_n - 1, true));
    json_t *item = good ? json_stringn(tap_buf_text(&value), value.len) : NULL;
    json_t *list = good ? json_object_getn(query, tap_buf_text(&name), name.len) : NULL;
    good = item != NULL;
    if (good && !list) {
        list = json_array();
        good = json_object_setn_new(query, tap_buf_text(&name), name.len, list) == 0;
    }
    if (good)
        json_array_append(list, item);
    json_decref(item);
    tap_buf_fini(&name);
    tap_buf_fini_secret(&value);
    return good;
}

/* "a=1&a=2&b" -> {"a": ["1", "2"], "b": [""]}; NULL when it is broken or has too many parts. */
static json_t *read_query(const char *text, size_t len)
{
    json_t *query = json_object();
    const char *end = text + len;
    for (size_t parts = 0; text < end; parts++) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        size_t n = (size_t)((amp ? amp : end) - text);
        if ((n && !add_parameter(query, text, n)) || parts == MAX_PARAMETERS) {
            json_decref(query);
            return NULL;
        }
        text += n + (amp != NULL);
    }
    return query;
}

/* ---- the path ---- */

/* What a label of the address stands for in the path: "Key" -> "a%2Fb". */
typedef bool on_label(void *user, const char *name, size_t name_n, const char *text, size_t n);

/* Matches a path with an operation's. A label takes one segment, a greedy one all but what follows
 * it. `literal` counts bytes that are no label. */
static bool match_path(const char *uri, size_t uri_n, const char *path, size_t path_n, int *literal,
                       on_label *take, void *user)
{
    const char *uri_end = uri + uri_n, *end = path + path_n;
    while (uri < uri_end) {
        if (*uri != '{') {
            if (path == end || *path != *uri)
                return false;
            path++, uri++, ++*literal;
            continue;
        }
        const char *close = memchr(uri, '}', (size_t)(uri_end - uri));
        if (!close)
            return false;
        bool greedy = close[-1] == '+';
        const char *name = uri + 1;
        size_t name_n = (size_t)(close - name) - greedy, after = (size_t)(uri_end - close) - 1;
        const char *stop = path;
        if (greedy && (size_t)(end - path) >= after)
            stop = end - after;
        while (!greedy && stop < end && *stop != '/' && (!after || *stop != close[1]))
            stop++;
        if (stop == path || (take && !take(user, name, name_n, path, (size_t)(stop - path))))
            return false;
        path = stop;
        uri = close + 1;
    }
    return path == end || (path + 1 == end && *path == '/'); /* a slash too many is forgiven */
}

/* ---- ranks ---- */

/* The fixed parameters of an operation's address: all must be there, with their values. */
static bool match_fixed(const struct route *route, const char *uri, int *fixed)
{
    json_t *wanted = read_query(uri, strlen(uri));
    bool all = true;
    for (void *at = json_object_iter(wanted); at; at = json_object_iter_next(wanted, at)) {
        const json_t *value = json_array_get(json_object_iter_value(at), 0);
        const json_t *got =
            json_array_get(json_object_get(route->query, json_object_iter_key(at)), 0);
        all = all && got && (!json_string_length(value) || json_equal(value, got));
        ++*fixed;
    }
    json_decref(wanted);
    return all;
}

static void rank_required(struct rank *rank, const struct route *route, const json_t *operation)
{
    const json_t *ref = json_object_get(operation, "input");
    const json_t *shape = ref ? tap_ref_shape(route->model, ref) : NULL;
    size_t i;
    const json_t *name;
    json_array_foreach(json_object_get(shape, "required"), i, name)
    {
        const char *member = json_string_value(name);
        const json_t *bound = json_object_get(json_object_get(shape, "members"), member);
        const char *location = tap_rest_location(bound), *wire = tap_wire_own_name(bound, member);
        bool is_query = strcmp(location, "querystring") == 0;
        if (!is_query && strcmp(location, "header") != 0)
            continue;
        bool there = is_query ? json_object_get(route->query, wire) != NULL
                              : tap_headers_get(&route->request->headers, wire) != NULL;
        rank->required += there;
        rank->missing -= !there;
    }
}

static bool fits(struct rank *rank, const struct route *route, const json_t *operation)
{
    const json_t *http = json_object_get(operation, "http");
    const char *method = json_string_value(json_object_get(http, "method"));
    const char *uri = json_string_value(json_object_get(http, "requestUri"));
    *rank = (struct rank){.current = !tap_ref_flag(operation, "deprecated")};
    if (!method || !uri || strcmp(method, route->request->method) != 0)
        return false;
    size_t n = strcspn(uri, "?");
    if (!match_path(uri, n, route->path, route->path_n, &rank->literal, NULL, NULL) ||
        (uri[n] && !match_fixed(route, uri + n + 1, &rank->fixed)))
        return false;
    rank_required(rank, route, operation);
    return true;
}

static bool is_better(const struct rank *a, const struct rank *b)
{
    const int pairs[][2] = {
        {a->literal, b->literal},   {a->fixed, b->fixed},     {a->missing, b->missing},
        {a->required, b->required}, {a->current, b->current},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][0] != pairs[i][1])
            return pairs[i][0] > pairs[i][1];
    return false;
}

static const json_t *find_operation(const struct route *route)
{
    size_t n;
    const char *const *names = tap_model_operations(route->model, &n);
    const json_t *best = NULL;
    struct rank best_rank = {0};
    for (size_t i = 0; i < n; i++) {
        const json_t *operation = NULL;
        struct rank rank;
        tap_model_operation(&operation, route->model, names[i], NULL);
        if (!fits(&rank, route, operation) || (best && !is_better(&rank, &best_rank)))
            continue;
        best = operation;
        best_rank = rank;
    }
    return best;
}

/* ---- reading ---- */

struct reading {
    const struct route *route;
    const json_t *members;
    json_t *input;
};

static bool take_label(void *user, const char *name, size_t name_n, const char *text, size_t n)
{
    struct reading *reading = user;
    for (void *at = json_object_iter((json_t *)reading->members); at;
         at = json_object_iter_next((json_t *)reading->members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const char *wire = tap_wire_own_name(ref, member);
        if (strcmp(tap_rest_location(ref), "uri") != 0 || strlen(wire) != name_n ||
            memcmp(wire, name, name_n) != 0)
            continue;
        struct tap_buf plain;
        tap_buf_init(&plain, n);
        json_t *value =
            tap_uri_decode(&plain, text, n, false)
                ? tap_rest_read_text(reading->route->model, ref, tap_buf_text(&plain), plain.len)
                : NULL;
        tap_buf_fini(&plain);
        return value && json_object_set_new(reading->input, member, value) == 0;
    }
    return true;
}

/* Parameters that no member, and no fixed part of the address, stands for belong to a map. */
static bool is_claimed(const struct reading *reading, const json_t *fixed, const char *name)
{
    if (json_object_get(fixed, name))
        return true;
    for (void *at = json_object_iter((json_t *)reading->members); at;
         at = json_object_iter_next((json_t *)reading->members, at)) {
        const json_t *ref = json_object_iter_value(at);
        if (strcmp(tap_rest_location(ref), "querystring") == 0 &&
            strcmp(tap_wire_own_name(ref, json_object_iter_key(at)), name) == 0)
            return true;
    }
    return false;
}

/* One parameter's values: a list, or the first alone. NULL when one does not fit. */
static json_t *read_parameter(const struct tap_model *model, const json_t *ref,
                              const json_t *values)
{
    const json_t *shape = tap_ref_shape(model, ref);
    const json_t *text = json_array_get(values, 0);
    size_t i;
    if (tap_shape_kind(shape) != TAP_SHAPE_LIST)
        return tap_rest_read_text(model, ref, json_string_value(text), json_string_length(text));
    json_t *list = json_array();
    json_array_foreach(values, i, text)
    {
        json_t *item = tap_rest_read_text(model, json_object_get(shape, "member"),
                                          json_string_value(text), json_string_length(text));
        if (!item) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static bool read_map(struct reading *reading, const char *member, const json_t *shape,
                     const json_t *fixed)
{
    json_t *map = json_object();
    for (void *at = json_object_iter((json_t *)reading->route->query); at;
         at = json_object_iter_next((json_t *)reading->route->query, at)) {
        const char *name = json_object_iter_key(at);
        if (is_claimed(reading, fixed, name))
            continue;
        json_t *value = read_parameter(reading->route->model, json_object_get(shape, "value"),
                                       json_object_iter_value(at));
        if (!value || json_object_set_new(map, name, value)) {
            json_decref(map);
            return false;
        }
    }
    if (json_object_size(map))
        json_object_set(reading->input, member, map);
    json_decref(map);
    return true;
}

/* NULL, or the member whose parameter does not fit. */
static const char *read_parameters(struct reading *reading, const json_t *fixed)
{
    for (void *at = json_object_iter((json_t *)reading->members); at;
         at = json_object_iter_next((json_t *)reading->members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *shape = tap_ref_shape(reading->route->model, ref);
        if (strcmp(tap_rest_location(ref), "querystring") != 0)
            continue;
        if (tap_shape_kind(shape) == TAP_SHAPE_MAP) {
            if (!read_map(reading, member, shape, fixed))
                return member;
            continue;
        }
        const json_t *values =
            json_object_get(reading->route->query, tap_wire_own_name(ref, member));
        json_t *value = values ? read_parameter(reading->route->model, ref, values) : NULL;
        if (values && !value)
            return member;
        if (value)
            json_object_set_new(reading->input, member, value);
    }
    return NULL;
}

/* Puts what path and query say into `input`. */
static tap_err read_members(json_t *input, const struct route *route, const json_t *operation,
                            struct tap_error *err)
{
    const char *uri =
        json_string_value(json_object_get(json_object_get(operation, "http"), "requestUri"));
    const json_t *ref = json_object_get(operation, "input");
    struct reading reading = {
        .route = route,
        .members = json_object_get(ref ? tap_ref_shape(route->model, ref) : NULL, "members"),
        .input = input,
    };
    size_t n = strcspn(uri, "?");
    int literal = 0;
    if (!match_path(uri, n, route->path, route->path_n, &literal, take_label, &reading))
        return tap_refuse_request(err, 400, "SerializationException",
                                  "A part of the path does not fit its type");
    json_t *fixed = read_query(uri + n, 0);
    if (uri[n]) {
        json_decref(fixed);
        fixed = read_query(uri + n + 1, strlen(uri + n + 1));
    }
    const char *wrong = read_parameters(&reading, fixed);
    json_decref(fixed);
    return wrong ? tap_refuse_request(err, 400, "SerializationException",
                                      "The parameter for %s does not fit its type", wrong)
                 : TAP_OK;
}

tap_err tap_rest_route(const json_t **operation, json_t **input, const struct tap_model *model,
                       const struct tap_request *request, struct tap_error *err)
{
    const char *target = request->target ? request->target : "/";
    size_t n = strcspn(target, "?");
    json_t *query =
        read_query(target + n + (target[n] != 0), strlen(target + n + (target[n] != 0)));
    struct route route = {model, request, target, n, query};
    tap_err code = TAP_OK;
    *input = NULL;
    *operation = query && request->method ? find_operation(&route) : NULL;
    if (!query)
        code = tap_refuse_request(err, 400, "MalformedQueryString",
                                  "The query string contains a syntax error");
    else if (!*operation)
        code = tap_refuse_request(err, 404, "UnknownOperationException",
                                  "No operation has this method and path");
    if (!code) {
        *input = json_object();
        code = read_members(*input, &route, *operation, err);
    }
    if (code) {
        json_decref(*input);
        *input = NULL;
    }
    json_decref(query);
    return code;
}
