/*
 * Members that stand in headers: one in a header of its own, a list in one header with commas, a
 * map in many headers that share a prefix.
 */
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "rest.h"

static const char TIME_FORMAT[] = "rfc822";

static tap_err refuse(const char *member, const char *what, struct tap_error *err)
{
    return tap_fail(err, TAP_E_USAGE, "InvalidInput", "%s: %s", member, what);
}

/* A line end in a header would begin another header. */
static tap_err set_header(struct tap_headers *headers, const char *name, const char *member,
                          const struct tap_buf *text, struct tap_error *err)
{
    for (size_t i = 0; i < text->len; i++)
        if (strchr("\r\n", text->data[i])) /* matches NUL, too */
            return refuse(member, "must be one line, because it becomes a header", err);
    tap_headers_set(headers, name, tap_buf_text(text));
    return TAP_OK;
}

/* ---- lists ---- */

/* Elements that hold a comma or a quote are quoted; dates hold one, and are not. */
static void add_element(struct tap_buf *out, const struct tap_buf *text, bool may_quote)
{
    const char *bytes = tap_buf_text(text);
    if (out->len)
        tap_buf_puts(out, ", ");
    if (!may_quote || !strpbrk(bytes, "\",")) {
        tap_buf_add(out, bytes, text->len);
        return;
    }
    tap_buf_putc(out, '"');
    for (size_t i = 0; i < text->len; i++) {
        if (strchr("\"\\", bytes[i]) && bytes[i])
            tap_buf_putc(out, '\\');
        tap_buf_putc(out, bytes[i]);
    }
    tap_buf_putc(out, '"');
}

static tap_err write_list(struct tap_buf *out, const struct tap_model *model, const char *member,
                          const json_t *shape, const json_t *list, struct tap_error *err)
{
    const json_t *ref = json_object_get(shape, "member");
    bool is_text = tap_shape_kind(tap_ref_shape(model, ref)) == TAP_SHAPE_STRING;
    tap_err code = TAP_OK;
    for (size_t i = 0; i < json_array_size(list) && !code; i++) {
        struct tap_buf text;
        tap_buf_init(&text, TAP_MAX_BODY);
        code = tap_rest_write_text(&text, model, member, ref, TIME_FORMAT, json_array_get(list, i),
                                   err);
        add_element(out, &text, is_text);
        tap_buf_fini(&text);
    }
    return code;
}

/* Takes the next element from *at into `out`; false when there is none. A date's own comma does not
 * end it. */
static bool next_element(struct tap_buf *out, const char **at, bool is_date)
{
    const char *text = *at + strspn(*at, " \t");
    tap_buf_reset(out);
    if (!*text)
        return false;
    if (*text == '"') {
        for (text++; *text && *text != '"'; text++) {
            text += *text == '\\' && text[1];
            tap_buf_putc(out, *text);
        }
        text += strcspn(text, ",");
    } else {
        size_t n = strcspn(text, ",");
        if (is_date && text[n])
            n += 1 + strcspn(text + n + 1, ",");
        size_t trimmed = n;
        while (trimmed && strchr(" \t", text[trimmed - 1]))
            trimmed--;
        tap_buf_add(out, text, trimmed);
        text += n;
    }
    *at = text + (*text == ',');
    return true;
}

static bool is_rfc822(const struct tap_model *model, const json_t *ref)
{
    const json_t *shape = tap_ref_shape(model, ref);
    const char *format = tap_ref_trait(ref, shape, "timestampFormat");
    return tap_shape_kind(shape) == TAP_SHAPE_TIMESTAMP &&
           strcmp(format ? format : TIME_FORMAT, "rfc822") == 0;
}

/* NULL when an element does not fit. */
static json_t *read_list(const struct tap_model *model, const json_t *shape, const char *text)
{
    const json_t *ref = json_object_get(shape, "member");
    bool is_date = is_rfc822(model, ref);
    json_t *list = json_array();
    struct tap_buf element;
    tap_buf_init(&element, strlen(text) + 1);
    while (list && next_element(&element, &text, is_date)) {
        json_t *item = tap_rest_read_text(model, ref, tap_buf_text(&element), element.len);
        if (!item) {
            json_decref(list);
            list = NULL;
        } else {
            json_array_append_new(list, item);
        }
    }
    tap_buf_fini(&element);
    return list;
}

/* ---- maps ---- */

/* RFC 9110's "token": what a header's name may be made of. */
static bool is_token(const char *text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return *text && strspn(text, marks) == strlen(text);
}

static tap_err write_map(struct tap_headers *headers, const struct tap_model *model,
                         const char *member, const json_t *ref, const json_t *map,
                         struct tap_error *err)
{
    const json_t *value_ref = json_object_get(tap_ref_shape(model, ref), "value");
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)map); at && !code;
         at = json_object_iter_next((json_t *)map, at)) {
        struct tap_buf text;
        tap_buf_init(&text, TAP_MAX_BODY);
        char *name = tap_sprintf("%s%s", tap_wire_own_name(ref, ""), json_object_iter_key(at));
        code = is_token(name) ? tap_rest_write_text(&text, model, member, value_ref, TIME_FORMAT,
                                                    json_object_iter_value(at), err)
                              : refuse(member, "a key is not fit for a header's name", err);
        if (!code)
            code = set_header(headers, name, member, &text, err);
        tap_free(name);
        tap_buf_fini(&text);
    }
    return code;
}

/* All headers that have the prefix: none is an empty map. */
static json_t *read_map(const struct tap_model *model, const json_t *ref,
                        const struct tap_headers *headers)
{
    const char *prefix = tap_wire_own_name(ref, "");
    const json_t *value_ref = json_object_get(tap_ref_shape(model, ref), "value");
    size_t n = strlen(prefix);
    json_t *map = json_object();
    for (size_t i = 0; i < headers->n; i++) {
        const char *name = headers->items[i].name, *text = headers->items[i].value;
        if (strncasecmp(name, prefix, n) != 0)
            continue;
        json_t *value = tap_rest_read_text(model, value_ref, text, strlen(text));
        json_object_set_new(map, name + n, value);
    }
    return map;
}

/* ---- all ---- */

static tap_err write_one(struct tap_headers *headers, const struct tap_model *model,
                         const char *member, const json_t *ref, const json_t *value,
                         struct tap_error *err)
{
    const json_t *shape = tap_ref_shape(model, ref);
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    tap_err code = tap_shape_kind(shape) == TAP_SHAPE_LIST
                       ? write_list(&text, model, member, shape, value, err)
                       : tap_rest_write_text(&text, model, member, ref, TIME_FORMAT, value, err);
    if (!code)
        code = set_header(headers, tap_wire_own_name(ref, member), member, &text, err);
    tap_buf_fini_secret(&text);
    return code;
}

tap_err tap_rest_write_headers(struct tap_headers *headers, const struct tap_model *model,
                               const json_t *shape, const json_t *value, struct tap_error *err)
{
    const json_t *members = json_object_get(shape, "members");
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)members); at && !code;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, member);
        const char *location = tap_rest_location(ref);
        if (!inner || json_is_null(inner))
            continue;
        if (strcmp(location, "header") == 0)
            code = write_one(headers, model, member, ref, inner, err);
        else if (strcmp(location, "headers") == 0)
            code = write_map(headers, model, member, ref, inner, err);
    }
    return code;
}

static tap_err read_one(json_t *value, const struct tap_model *model, const char *member,
                        const json_t *ref, const struct tap_headers *headers, struct tap_error *err)
{
    const json_t *shape = tap_ref_shape(model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    const char *name = tap_wire_own_name(ref, member);
    const char *text = tap_headers_get(headers, name);
    bool may_be_empty = kind == TAP_SHAPE_STRING || kind == TAP_SHAPE_LIST;
    if (!text || (!*text && !may_be_empty))
        return TAP_OK;
    json_t *item = kind == TAP_SHAPE_LIST ? read_list(model, shape, text)
                                          : tap_rest_read_text(model, ref, text, strlen(text));
    if (!item && strcasecmp(name, "Expires") == 0)
        return TAP_OK; /* S3 gives back what somebody stored: it need not be a date */
    if (!item) {
        char shown[64];
        tap_error_copy(shown, sizeof shown, text);
        return tap_fail(err, TAP_E_PROTOCOL, "UnexpectedAnswer",
                        "the header %s is \"%s\", where the service's model has %s", name, shown,
                        tap_shape_kind_name(kind));
    }
    json_object_set_new(value, member, item);
    return TAP_OK;
}

tap_err tap_rest_read_headers(json_t *value, const struct tap_model *model, const json_t *shape,
                              const struct tap_headers *headers, struct tap_error *err)
{
    const json_t *members = json_object_get(shape, "members");
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)members); at && !code;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const char *location = tap_rest_location(ref);
        if (strcmp(location, "header") == 0) {
            code = read_one(value, model, member, ref, headers, err);
        } else if (strcmp(location, "headers") == 0) {
            json_object_set_new(value, member, read_map(model, ref, headers));
        }
    }
    return code;
}
