/*
 * Reading values from JSON. See protocol_json.h.
 */
#include <math.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "protocol_json.h"

struct reader {
    const struct tap_model *model;
    struct tap_error *err;
    tap_err code; /* of the first value that does not fit */
};

static json_t *read_value(struct reader *reader, const char *name, const json_t *ref,
                          const json_t *wire);

static void misfit(struct reader *reader, const char *name, enum tap_shape_kind kind,
                   const json_t *wire)
{
    if (reader->code)
        return;
    char shown[64], *text = tap_json_print(wire);
    tap_error_copy(shown, sizeof shown, text);
    reader->code = tap_fail(reader->err, TAP_E_PROTOCOL, "UnexpectedAnswer",
                            "the answer's %s is %s, where the service's model has %s", name, shown,
                            tap_shape_kind_name(kind));
    tap_free(text);
}

static json_t *read_structure(struct reader *reader, const json_t *shape, const json_t *wire)
{
    const json_t *members = json_object_get(shape, "members");
    json_t *value = json_object();
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(wire, tap_wire_own_name(ref, member));
        json_t *item = inner ? read_value(reader, member, ref, inner) : NULL;
        if (item)
            json_object_set_new(value, member, item);
    }
    return value;
}

static json_t *read_list(struct reader *reader, const char *name, const json_t *shape,
                         const json_t *wire)
{
    bool sparse = tap_ref_flag(shape, "sparse");
    json_t *list = json_array();
    size_t i;
    const json_t *inner;
    json_array_foreach(wire, i, inner)
    {
        json_t *item = read_value(reader, name, json_object_get(shape, "member"), inner);
        if (item || sparse)
            json_array_append_new(list, item ? item : json_null());
    }
    return list;
}

static json_t *read_map(struct reader *reader, const json_t *shape, const json_t *wire)
{
    bool sparse = tap_ref_flag(shape, "sparse");
    json_t *map = json_object();
    for (void *at = json_object_iter((json_t *)wire); at;
         at = json_object_iter_next((json_t *)wire, at)) {
        const char *key = json_object_iter_key(at);
        json_t *item =
            read_value(reader, key, json_object_get(shape, "value"), json_object_iter_value(at));
        if (item || sparse)
            json_object_setn_new(map, key, json_object_iter_key_len(at), item ? item : json_null());
    }
    return map;
}

/* A number, or NULL: timestamps and integers without a fraction become integers. */
static json_t *read_number(enum tap_shape_kind kind, const json_t *wire)
{
    double real = json_number_value(wire);
    bool whole = json_is_integer(wire) || (real == floor(real) && fabs(real) < 0x1p53);
    switch (kind) {
    case TAP_SHAPE_FLOAT: return json_real(real);
    case TAP_SHAPE_INTEGER:
    case TAP_SHAPE_LONG:
        if (!whole)
            return NULL;
        /* fall through */
    case TAP_SHAPE_TIMESTAMP:
        if (json_is_integer(wire))
            return json_integer(json_integer_value(wire));
        return whole ? json_integer((json_int_t)real) : json_real(real);
    default: return NULL;
    }
}

/* Texts may stand for any scalar: "NaN" for a number, a date for a timestamp. */
static json_t *read_scalar(struct reader *reader, const char *name, enum tap_shape_kind kind,
                           const json_t *wire)
{
    json_t *value = NULL;
    if (json_is_string(wire))
        value = tap_scalar_read(kind, json_string_value(wire), json_string_length(wire));
    else if (json_is_number(wire))
        value = read_number(kind, wire);
    else if (json_is_boolean(wire) && kind == TAP_SHAPE_BOOLEAN)
        value = json_boolean(json_is_true(wire));
    if (!value)
        misfit(reader, name, kind, wire);
    return value;
}

/* The recursion is as deep as the JSON, which has a limit. */
static json_t *read_value(struct reader *reader, const char *name, const json_t *ref,
                          const json_t *wire)
{
    const json_t *shape = tap_ref_shape(reader->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    if (json_is_null(wire))
        return NULL;
    if (tap_ref_flag(shape, "document"))
        return json_deep_copy(wire);
    if (!tap_shape_fits(kind, wire)) {
        misfit(reader, name, kind, wire);
        return NULL;
    }
    switch (kind) {
    case TAP_SHAPE_STRUCTURE: return read_structure(reader, shape, wire);
    case TAP_SHAPE_LIST: return read_list(reader, name, shape, wire);
    case TAP_SHAPE_MAP: return read_map(reader, shape, wire);
    default: return read_scalar(reader, name, kind, wire);
    }
}

tap_err tap_json_read_value(json_t **value, const struct tap_model *model, const json_t *ref,
                            const json_t *wire, struct tap_error *err)
{
    struct reader reader = {.model = model, .err = err};
    *value = read_value(&reader, "body", ref, wire);
    if (reader.code) {
        json_decref(*value);
        *value = NULL;
    }
    return reader.code;
}

tap_err tap_json_read_text(json_t **value, const struct tap_model *model, const json_t *ref,
                           const char *text, size_t len, struct tap_error *err)
{
    json_t *wire = NULL;
    *value = NULL;
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", text[blank]) && text[blank])
        blank++;
    if (blank == len)
        return TAP_OK;
    tap_err code = tap_json_parse(&wire, text, len, NULL, err);
    if (!code)
        code = tap_json_read_value(value, model, ref, wire, err);
    json_decref(wire);
    return code;
}
