/*
 * The body: one member that is the whole of it (the "payload": bytes, a text, or a structure), or
 * all members that are bound to no other place.
 */
#include <string.h>

#include "rest.h"
#include "text.h"

static void set_type(struct tap_headers *headers, const char *type)
{
    if (!tap_headers_get(headers, "Content-Type"))
        tap_headers_set(headers, "Content-Type", type);
}

static const json_t *payload_of(const struct tap_model *model, const json_t *ref,
                                const char **member)
{
    const json_t *shape = tap_ref_shape(model, ref);
    *member = json_string_value(json_object_get(shape, "payload"));
    return *member ? json_object_get(json_object_get(shape, "members"), *member) : NULL;
}

/* A shape may be both input and output: bindings to the address mean nothing in an answer. */
static bool is_unbound(const json_t *ref, enum tap_rest_side side)
{
    const char *location = tap_rest_location(ref);
    return !*location || (side == TAP_REST_ANSWER &&
                          (strcmp(location, "uri") == 0 || strcmp(location, "querystring") == 0));
}

/* What of the value belongs into the body; *any is set when the shape has such members at all. */
static json_t *unbound(const json_t *shape, enum tap_rest_side side, const json_t *value, bool *any)
{
    const json_t *members = json_object_get(shape, "members");
    json_t *part = json_object();
    *any = false;
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        json_t *inner = json_object_get(value, member);
        if (!is_unbound(json_object_iter_value(at), side))
            continue;
        *any = true;
        if (inner && !json_is_null(inner))
            json_object_set(part, member, inner);
    }
    return part;
}

/* ---- writing ---- */

/* A structure that is left out is sent as one without members; a union has no such form, and a
 * document's absence says what it says. */
static bool has_empty_form(const json_t *shape)
{
    return tap_shape_kind(shape) == TAP_SHAPE_STRUCTURE && !tap_ref_flag(shape, "union") &&
           !tap_ref_flag(shape, "document");
}

static void write_empty(struct tap_buf *body, struct tap_headers *headers,
                        const struct tap_rest_format *format)
{
    if (!*format->empty)
        return;
    tap_buf_puts(body, format->empty);
    set_type(headers, format->content_type);
}

static tap_err write_payload(struct tap_buf *body, struct tap_headers *headers,
                             const struct tap_rest_format *format, const struct tap_model *model,
                             const char *member, const json_t *ref, const json_t *value,
                             struct tap_error *err)
{
    const json_t *shape = tap_ref_shape(model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    bool plain = !tap_ref_flag(shape, "document");
    if (!value || json_is_null(value)) {
        if (has_empty_form(shape))
            write_empty(body, headers, format);
        return TAP_OK;
    }
    if (plain && (kind == TAP_SHAPE_BLOB || kind == TAP_SHAPE_STRING)) {
        bool fits = text && (kind == TAP_SHAPE_STRING || tap_base64_decode(body, text, n));
        if (!fits)
            return tap_fail(err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", member,
                            tap_shape_kind_name(kind));
        if (kind == TAP_SHAPE_STRING)
            tap_buf_add(body, text, n);
        set_type(headers, kind == TAP_SHAPE_STRING ? "text/plain" : "application/octet-stream");
        return TAP_OK;
    }
    set_type(headers, format->content_type);
    return format->write(body, model, ref, member, value, err);
}

tap_err tap_rest_write_body(struct tap_buf *body, struct tap_headers *headers,
                            const struct tap_rest_format *format, enum tap_rest_side side,
                            const struct tap_model *model, const json_t *ref, const json_t *value,
                            struct tap_error *err)
{
    const char *member;
    const json_t *payload = payload_of(model, ref, &member);
    if (payload)
        return write_payload(body, headers, format, model, member, payload,
                             json_object_get(value, member), err);
    bool any;
    json_t *part = unbound(tap_ref_shape(model, ref), side, value, &any);
    tap_err code = TAP_OK;
    if (json_object_size(part)) {
        set_type(headers, format->content_type);
        code = format->write(body, model, ref, NULL, part, err);
    } else if (any) {
        write_empty(body, headers, format);
    }
    json_decref(part);
    return code;
}

/* ---- reading ---- */

static json_t *base64(const struct tap_buf *body)
{
    struct tap_buf text;
    tap_buf_init(&text, 2 * TAP_MAX_BODY);
    tap_base64_encode(&text, tap_buf_text(body), body->len);
    json_t *value = json_stringn(tap_buf_text(&text), text.len);
    tap_buf_fini_secret(&text);
    return value;
}

/* A stream of no bytes is one; any other payload is then left out. */
static tap_err read_payload(json_t **value, const struct tap_rest_format *format,
                            const struct tap_model *model, const json_t *ref,
                            const struct tap_buf *body, struct tap_error *err)
{
    const json_t *shape = tap_ref_shape(model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    bool streaming = tap_ref_flag(shape, "streaming") || tap_ref_flag(ref, "streaming");
    *value = NULL;
    if (!body->len && !streaming)
        return TAP_OK;
    if (kind == TAP_SHAPE_BLOB) {
        *value = base64(body);
        return TAP_OK;
    }
    if (kind != TAP_SHAPE_STRING || tap_ref_flag(shape, "document"))
        return format->read(value, model, ref, body, err);
    *value = json_stringn(tap_buf_text(body), body->len);
    return *value ? TAP_OK
                  : tap_fail(err, TAP_E_PARSE, "InvalidText", "the body is not UTF-8 text");
}

tap_err tap_rest_read_body(json_t **value, const struct tap_rest_format *format,
                           enum tap_rest_side side, const struct tap_model *model,
                           const json_t *ref, const struct tap_buf *body, struct tap_error *err)
{
    const char *member;
    const json_t *payload = payload_of(model, ref, &member);
    json_t *read = NULL;
    *value = NULL;
    if (payload) {
        tap_err code = read_payload(&read, format, model, payload, body, err);
        if (code)
            return code;
        *value = json_object();
        if (read)
            json_object_set_new(*value, member, read);
        return TAP_OK;
    }
    tap_err code = format->read(&read, model, ref, body, err);
    if (code)
        return code;
    bool any;
    *value = unbound(tap_ref_shape(model, ref), side, read, &any);
    json_decref(read);
    return TAP_OK;
}
