/*
 * Reading forms into trees. See query_form.h.
 */
#include "query_form.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "protocol_gzip.h"
#include "protocol_request.h"
#include "text.h"

enum {
    MAX_FORM = 16 * 1024 * 1024,
    MAX_FORM_NODES = 200 * 1000, /* a short name can ask for many of them: a.a.a.a.a */
};

struct form {
    json_t *root;
    size_t nodes;
};

/* The key of a node's own text. Names are split at '.', so no child has this name. */
static const char OWN_TEXT[] = ".";

const json_t *tap_form_text(const json_t *node)
{
    return json_object_get(node, OWN_TEXT);
}

/* The node at a name, made where it is missing. NULL: not text, or too many parts in one name. */
static json_t *node_at(struct form *form, const char *name, size_t len)
{
    json_t *node = form->root;
    const char *end = name + len;
    for (int depth = 1; name <= end; depth++) {
        const char *dot = memchr(name, '.', (size_t)(end - name));
        size_t n = (size_t)((dot ? dot : end) - name);
        json_t *inner = json_object_getn(node, name, n);
        if (!inner) {
            inner = json_object();
            form->nodes++;
            if (json_object_setn_new(node, name, n, inner) || depth == TAP_MAX_DEPTH)
                return NULL;
        }
        node = inner;
        name += n + 1;
    }
    return node;
}

/* One name=value. */
static bool add_pair(struct form *form, const char *text, size_t n)
{
    const char *equals = memchr(text, '=', n);
    size_t name_len = equals ? (size_t)(equals - text) : n;
    struct tap_buf name, value;
    tap_buf_init(&name, n);
    tap_buf_init(&value, n);
    bool good = tap_uri_decode(&name, text, name_len, true) &&
                (!equals || tap_uri_decode(&value, equals + 1, n - name_len - 1, true)) &&
                !memchr(tap_buf_text(&name), '\0', name.len);
    json_t *node = good ? node_at(form, tap_buf_text(&name), name.len) : NULL;
    good = node &&
           json_object_set_new(node, OWN_TEXT, json_stringn(tap_buf_text(&value), value.len)) == 0;
    tap_buf_fini(&name);
    tap_buf_fini_secret(&value);
    return good;
}

static tap_err add_form(struct form *form, const char *text, size_t len, struct tap_error *err)
{
    const char *end = text + len;
    while (text < end) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        size_t n = (size_t)((amp ? amp : end) - text);
        if (form->nodes > MAX_FORM_NODES)
            return tap_refuse_request(err, 413, "RequestEntityTooLarge",
                                      "The request has too many parameters");
        if (n && !add_pair(form, text, n))
            return tap_refuse_request(err, 400, "MalformedQueryString",
                                      "The query string contains a syntax error");
        text += amp ? n + 1 : n;
    }
    return TAP_OK;
}

static tap_err add_body(struct form *form, const struct tap_request *request, struct tap_error *err)
{
    struct tap_buf plain;
    tap_buf_init(&plain, MAX_FORM);
    const struct tap_buf *body = tap_plain_body(&plain, request);
    tap_err code;
    if (!body)
        code =
            tap_refuse_request(err, 400, "MalformedInput", "The request's body is not valid gzip");
    else if (body->len > MAX_FORM)
        code = tap_refuse_request(err, 413, "RequestEntityTooLarge",
                                  "Request size exceeded 16777216 bytes");
    else
        code = add_form(form, tap_buf_text(body), body->len, err);
    tap_buf_fini_secret(&plain);
    return code;
}

tap_err tap_form_read(json_t **out, const struct tap_request *request, struct tap_error *err)
{
    struct form form = {.root = json_object()};
    const char *query = request->target ? strchr(request->target, '?') : NULL;
    bool post = request->method && strcmp(request->method, "POST") == 0;
    tap_err code = query ? add_form(&form, query + 1, strlen(query + 1), err) : TAP_OK;
    if (!code && post)
        code = add_body(&form, request, err);
    if (code)
        json_decref(form.root);
    *out = code ? NULL : form.root;
    return code;
}

struct numbered {
    unsigned long number;
    const json_t *node;
};

static int by_number(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

const json_t **tap_form_numbered(const json_t *node, size_t *n)
{
    struct numbered *found = tap_calloc(json_object_size(node), sizeof *found);
    *n = 0;
    for (void *at = json_object_iter((json_t *)node); at;
         at = json_object_iter_next((json_t *)node, at)) {
        const char *name = json_object_iter_key(at);
        if (!*name || strspn(name, "0123456789") != strlen(name) || strlen(name) > 9)
            continue;
        found[*n].number = strtoul(name, NULL, 10);
        found[(*n)++].node = json_object_iter_value(at);
    }
    if (*n)
        qsort(found, *n, sizeof *found, by_number);
    const json_t **nodes = tap_calloc(*n, sizeof(const json_t *));
    for (size_t i = 0; i < *n; i++)
        nodes[i] = found[i].node;
    tap_free(found);
    return nodes;
}
