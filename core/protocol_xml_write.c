/*
 * Writing values as XML. See protocol_xml.h.
 */
#include <string.h>

#include "json.h"
#include "message.h"
#include "protocol_xml.h"

struct writer {
    const struct tap_model *model;
    struct tap_buf *out;
    size_t depth;
    struct tap_error *err;
};

static tap_err write_value(struct writer *writer, const char *name, const json_t *ref,
                           const json_t *value);

static void put_open(struct writer *writer, const char *name)
{
    tap_buf_putc(writer->out, '<');
    tap_buf_puts(writer->out, name);
}

static void put_close(struct writer *writer, const char *name)
{
    tap_buf_puts(writer->out, "</");
    tap_buf_puts(writer->out, name);
    tap_buf_putc(writer->out, '>');
}

static void put_attribute(struct writer *writer, const char *name, const char *text, size_t n)
{
    tap_buf_printf(writer->out, " %s=\"", name);
    tap_xml_escape(writer->out, text, n);
    tap_buf_putc(writer->out, '"');
}

static void put_namespace(struct writer *writer, const json_t *ref, const json_t *shape)
{
    const json_t *trait = json_object_get(ref, "xmlNamespace");
    if (!trait)
        trait = json_object_get(shape, "xmlNamespace");
    /* older models have the address alone */
    const char *prefix = json_string_value(json_object_get(trait, "prefix"));
    const json_t *uri = json_is_string(trait) ? trait : json_object_get(trait, "uri");
    if (!json_is_string(uri))
        return;
    char name[64] = "xmlns";
    if (prefix) {
        tap_error_copy(name + 5, sizeof name - 5, ":");
        tap_error_copy(name + 6, sizeof name - 6, prefix);
    }
    put_attribute(writer, name, json_string_value(uri), json_string_length(uri));
}

/* A scalar's text, appended to `text`. */
static tap_err scalar(struct writer *writer, struct tap_buf *text, const char *name,
                      const json_t *ref, const json_t *shape, const json_t *value)
{
    enum tap_shape_kind kind = tap_shape_kind(shape);
    const char *format = tap_ref_trait(ref, shape, "timestampFormat");
    tap_buf_init(text, TAP_MAX_BODY);
    if (tap_scalar_write(text, kind, format ? format : TAP_TIME_FORMAT_XML, value))
        return TAP_OK;
    return tap_fail(writer->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", name,
                    tap_shape_kind_name(kind));
}

static tap_err write_scalar(struct writer *writer, const char *name, const json_t *ref,
                            const json_t *shape, const json_t *value)
{
    if (tap_shape_kind(shape) == TAP_SHAPE_STRING && json_is_string(value)) { /* nearly all */
        tap_xml_escape(writer->out, json_string_value(value), json_string_length(value));
        return TAP_OK;
    }
    struct tap_buf text;
    tap_err code = scalar(writer, &text, name, ref, shape, value);
    tap_xml_escape(writer->out, tap_buf_text(&text), text.len);
    tap_buf_fini_secret(&text);
    return code;
}

/* The members that are attributes of their structure's element. */
static tap_err write_attributes(struct writer *writer, const json_t *members, const json_t *value)
{
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)members); at && !code;
         at = json_object_iter_next((json_t *)members, at)) {
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, json_object_iter_key(at));
        if (!tap_ref_flag(ref, "xmlAttribute") || !inner || json_is_null(inner))
            continue;
        const json_t *shape = tap_ref_shape(writer->model, ref);
        const char *name = tap_wire_name(ref, shape, json_object_iter_key(at));
        struct tap_buf text;
        code = scalar(writer, &text, name, ref, shape, inner);
        put_attribute(writer, name, tap_buf_text(&text), text.len);
        tap_buf_fini(&text);
    }
    return code;
}

static tap_err write_members(struct writer *writer, const json_t *members, const json_t *value)
{
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)members); at && !code;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, member);
        if (inner && !json_is_null(inner) && !tap_ref_flag(ref, "xmlAttribute"))
            code = write_value(
                writer, tap_wire_name(ref, tap_ref_shape(writer->model, ref), member), ref, inner);
    }
    return code;
}

static tap_err write_items(struct writer *writer, const char *name, const json_t *shape,
                           const json_t *list)
{
    tap_err code = TAP_OK;
    for (size_t i = 0; i < json_array_size(list) && !code; i++)
        if (!json_is_null(json_array_get(list, i)))
            code = write_value(writer, name, json_object_get(shape, "member"),
                               json_array_get(list, i));
    return code;
}

static void write_key(struct writer *writer, const json_t *shape, const char *key)
{
    const char *name = tap_wire_key_name(shape);
    put_open(writer, name);
    put_namespace(writer, json_object_get(shape, "key"), NULL);
    tap_buf_putc(writer->out, '>');
    tap_xml_escape(writer->out, key, strlen(key));
    put_close(writer, name);
}

static tap_err write_entries(struct writer *writer, const char *name, const json_t *shape,
                             const json_t *map)
{
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)map); at && !code;
         at = json_object_iter_next((json_t *)map, at)) {
        if (json_is_null(json_object_iter_value(at)))
            continue;
        put_open(writer, name);
        tap_buf_putc(writer->out, '>');
        write_key(writer, shape, json_object_iter_key(at));
        code = write_value(writer, tap_wire_value_name(shape), json_object_get(shape, "value"),
                           json_object_iter_value(at));
        put_close(writer, name);
    }
    return code;
}

/* What stands between an element's tags. */
static tap_err write_content(struct writer *writer, const char *name, const json_t *ref,
                             const json_t *shape, const json_t *value)
{
    switch (tap_shape_kind(shape)) {
    case TAP_SHAPE_STRUCTURE:
        return write_members(writer, json_object_get(shape, "members"), value);
    case TAP_SHAPE_LIST: return write_items(writer, tap_wire_item_name(shape), shape, value);
    case TAP_SHAPE_MAP: return write_entries(writer, "entry", shape, value);
    default: return write_scalar(writer, name, ref, shape, value);
    }
}

static tap_err write_element(struct writer *writer, const char *name, const json_t *ref,
                             const json_t *shape, const json_t *value)
{
    put_open(writer, name);
    put_namespace(writer, ref, shape);
    tap_err code = tap_shape_kind(shape) == TAP_SHAPE_STRUCTURE
                       ? write_attributes(writer, json_object_get(shape, "members"), value)
                       : TAP_OK;
    tap_buf_putc(writer->out, '>');
    if (!code)
        code = write_content(writer, name, ref, shape, value);
    put_close(writer, name);
    return code;
}

static tap_err write_value(struct writer *writer, const char *name, const json_t *ref,
                           const json_t *value)
{
    const json_t *shape = tap_ref_shape(writer->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    bool flat = tap_wire_flattened(ref, shape);
    tap_err code;
    if (writer->depth == TAP_MAX_DEPTH)
        return tap_fail(writer->err, TAP_E_LIMIT, "TooDeep",
                        "the value nests deeper than %d levels", TAP_MAX_DEPTH);
    writer->depth++;
    if (!tap_shape_fits(kind, value))
        code = tap_fail(writer->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", name,
                        tap_shape_kind_name(kind));
    else if (kind == TAP_SHAPE_LIST && flat)
        code = write_items(writer, name, shape, value);
    else if (kind == TAP_SHAPE_MAP && flat)
        code = write_entries(writer, name, shape, value);
    else
        code = write_element(writer, name, ref, shape, value);
    writer->depth--;
    return code;
}

tap_err tap_xml_write_value(struct tap_buf *out, const struct tap_model *model, const char *name,
                            const json_t *ref, const json_t *value, struct tap_error *err)
{
    struct writer writer = {.model = model, .out = out, .err = err};
    return write_value(&writer, name, ref, value);
}

tap_err tap_xml_write_members(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                              const json_t *value, struct tap_error *err)
{
    struct writer writer = {.model = model, .out = out, .err = err};
    return write_members(&writer, json_object_get(tap_ref_shape(model, ref), "members"), value);
}

void tap_xml_write_text(struct tap_buf *out, const char *name, const char *text)
{
    tap_buf_printf(out, "<%s>", name);
    tap_xml_escape(out, text, strlen(text));
    tap_buf_printf(out, "</%s>", name);
}
