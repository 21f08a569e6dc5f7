/*
 * Writing values as JSON. See protocol_json.h. The value becomes a tree as the wire has it (its
 * names, its forms of timestamps), and that is printed.
 */
#include <math.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "message.h"
#include "protocol_json.h"

struct writer {
    const struct tap_model *model;
    struct tap_error *err;
    tap_err code; /* of the first value that does not fit */
    size_t depth;
};

static json_t *write_value(struct writer *writer, const char *name, const json_t *ref,
                           const json_t *value);

static json_t *misfit(struct writer *writer, const char *name, enum tap_shape_kind kind)
{
    if (!writer->code)
        writer->code = tap_fail(writer->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", name,
                                tap_shape_kind_name(kind));
    return NULL;
}

static json_t *write_structure(struct writer *writer, const json_t *shape, const json_t *value)
{
    const json_t *members = json_object_get(shape, "members");
    json_t *wire = json_object();
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, member);
        if (inner && !json_is_null(inner))
            json_object_set_new(wire, tap_wire_own_name(ref, member),
                                write_value(writer, member, ref, inner));
    }
    return wire;
}

static json_t *write_list(struct writer *writer, const char *name, const json_t *shape,
                          const json_t *value)
{
    json_t *wire = json_array();
    size_t i;
    const json_t *inner;
    json_array_foreach(value, i, inner) json_array_append_new(
        wire, write_value(writer, name, json_object_get(shape, "member"), inner));
    return wire;
}

static json_t *write_map(struct writer *writer, const json_t *shape, const json_t *value)
{
    json_t *wire = json_object();
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at)) {
        const char *key = json_object_iter_key(at);
        json_object_setn_new(
            wire, key, json_object_iter_key_len(at),
            write_value(writer, key, json_object_get(shape, "value"), json_object_iter_value(at)));
    }
    return wire;
}

/* Numbers and booleans stand for themselves; timestamps as their format wants it. */
static json_t *write_scalar(struct writer *writer, const char *name, const json_t *ref,
                            const json_t *shape, const json_t *value)
{
    enum tap_shape_kind kind = tap_shape_kind(shape);
    const char *trait = tap_ref_trait(ref, shape, "timestampFormat");
    const char *format = trait ? trait : TAP_TIME_FORMAT_JSON;
    if (kind == TAP_SHAPE_STRING && json_is_string(value))
        return json_incref((json_t *)value);
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    bool fits = tap_scalar_write(&text, kind, format, value);
    json_t *wire = NULL;
    bool as_number = kind == TAP_SHAPE_INTEGER || kind == TAP_SHAPE_LONG ||
                     (kind == TAP_SHAPE_TIMESTAMP && strcmp(format, TAP_TIME_FORMAT_JSON) == 0);
    if (!fits)
        misfit(writer, name, kind);
    else if (as_number)
        wire = tap_scalar_read(kind, tap_buf_text(&text), text.len);
    else if (kind == TAP_SHAPE_TIMESTAMP)
        wire = json_stringn(tap_buf_text(&text), text.len);
    else
        wire = json_incref((json_t *)value);
    tap_buf_fini_secret(&text);
    return wire;
}

static json_t *write_inside(struct writer *writer, const char *name, const json_t *ref,
                            const json_t *shape, const json_t *value)
{
    enum tap_shape_kind kind = tap_shape_kind(shape);
    if (tap_ref_flag(shape, "document"))
        return json_incref((json_t *)value);
    if (!tap_shape_fits(kind, value))
        return misfit(writer, name, kind);
    switch (kind) {
    case TAP_SHAPE_STRUCTURE: return write_structure(writer, shape, value);
    case TAP_SHAPE_LIST: return write_list(writer, name, shape, value);
    case TAP_SHAPE_MAP: return write_map(writer, shape, value);
    default: return write_scalar(writer, name, ref, shape, value);
    }
}

/* A new reference; NULL when the value does not fit. */
static json_t *write_value(struct writer *writer, const char *name, const json_t *ref,
                           const json_t *value)
{
    const json_t *shape = tap_ref_shape(writer->model, ref);
    if (json_is_null(value))
        return json_null();
    if (writer->depth == TAP_MAX_DEPTH) {
        if (!writer->code)
            writer->code = tap_fail(writer->err, TAP_E_LIMIT, "TooDeep",
                                    "the value nests deeper than %d levels", TAP_MAX_DEPTH);
        return NULL;
    }
    writer->depth++;
    json_t *wire = write_inside(writer, name, ref, shape, value);
    writer->depth--;
    return wire;
}

tap_err tap_json_write_value(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                             const json_t *value, struct tap_error *err)
{
    struct writer writer = {.model = model, .err = err};
    json_t *wire = write_value(&writer, "body", ref, value);
    if (!writer.code) {
        char *text = tap_json_print(wire);
        tap_buf_puts(out, text);
        tap_free_secret(text);
    }
    json_decref(wire);
    return writer.code;
}
