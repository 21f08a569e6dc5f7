/*
 * Writing values as CBOR by their shapes. (Reading needs no file: what cbor.h makes of bytes is
 * read as JSON is.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "json.h"
#include "message.h"
#include "rpccbor.h"
#include "text.h"
#include "timestamp.h"

struct writer {
    const struct tap_model *model;
    struct tap_buf *out;
    size_t depth;
    struct tap_error *err;
};

static tap_err write_value(struct writer *writer, const char *name, const json_t *ref,
                           const json_t *value);

static tap_err misfit(struct writer *writer, const char *name, enum tap_shape_kind kind)
{
    return tap_fail(writer->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", name,
                    tap_shape_kind_name(kind));
}

static void put_name(struct writer *writer, const char *name)
{
    tap_cbor_put_text(writer->out, name, strlen(name));
}

static bool is_given(const json_t *value)
{
    return value && !json_is_null(value);
}

static tap_err write_structure(struct writer *writer, const json_t *shape, const json_t *value)
{
    const json_t *members = json_object_get(shape, "members");
    size_t n = 0;
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at))
        n += is_given(json_object_get(value, json_object_iter_key(at)));
    tap_cbor_put_map(writer->out, n);
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)members); at && !code;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, member);
        if (!is_given(inner))
            continue;
        put_name(writer, tap_wire_own_name(ref, member));
        code = write_value(writer, member, ref, inner);
    }
    return code;
}

static tap_err write_list(struct writer *writer, const char *name, const json_t *shape,
                          const json_t *list)
{
    tap_err code = TAP_OK;
    tap_cbor_put_array(writer->out, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list) && !code; i++)
        code = write_value(writer, name, json_object_get(shape, "member"), json_array_get(list, i));
    return code;
}

static tap_err write_map(struct writer *writer, const json_t *shape, const json_t *map)
{
    tap_err code = TAP_OK;
    tap_cbor_put_map(writer->out, json_object_size(map));
    for (void *at = json_object_iter((json_t *)map); at && !code;
         at = json_object_iter_next((json_t *)map, at)) {
        const char *key = json_object_iter_key(at);
        tap_cbor_put_text(writer->out, key, json_object_iter_key_len(at));
        code =
            write_value(writer, key, json_object_get(shape, "value"), json_object_iter_value(at));
    }
    return code;
}

/* A number, or one of the strings that stand for those that JSON has not. */
static double number(const json_t *value)
{
    return json_is_string(value) ? strtod(json_string_value(value), NULL)
                                 : json_number_value(value);
}

static void put_float(struct writer *writer, const json_t *shape, const json_t *value)
{
    const char *type = json_string_value(json_object_get(shape, "type"));
    if (strcmp(type, "float") == 0)
        tap_cbor_put_float(writer->out, (float)number(value));
    else
        tap_cbor_put_double(writer->out, number(value));
}

static void put_blob(struct writer *writer, const json_t *value)
{
    struct tap_buf bytes;
    tap_buf_init(&bytes, TAP_MAX_BODY);
    tap_base64_decode(&bytes, json_string_value(value), json_string_length(value));
    tap_cbor_put_bytes(writer->out, tap_buf_text(&bytes), bytes.len);
    tap_buf_fini_secret(&bytes);
}

static void put_time(struct writer *writer, const json_t *value)
{
    double seconds = json_number_value(value);
    if (json_is_string(value))
        tap_time_parse(&seconds, json_string_value(value));
    tap_cbor_put_time(writer->out, seconds);
}

/* `text` has shown that the value is of its kind. */
static void put_scalar(struct writer *writer, const json_t *shape, const json_t *value,
                       const char *text)
{
    switch (tap_shape_kind(shape)) {
    case TAP_SHAPE_BOOLEAN: tap_cbor_put_boolean(writer->out, json_is_true(value)); break;
    case TAP_SHAPE_INTEGER:
    case TAP_SHAPE_LONG: tap_cbor_put_integer(writer->out, strtoll(text, NULL, 10)); break;
    case TAP_SHAPE_FLOAT: put_float(writer, shape, value); break;
    case TAP_SHAPE_TIMESTAMP: put_time(writer, value); break;
    case TAP_SHAPE_BLOB: put_blob(writer, value); break;
    default: tap_cbor_put_text(writer->out, json_string_value(value), json_string_length(value));
    }
}

static tap_err write_scalar(struct writer *writer, const char *name, const json_t *shape,
                            const json_t *value)
{
    enum tap_shape_kind kind = tap_shape_kind(shape);
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    bool fits = tap_scalar_write(&text, kind, TAP_TIME_FORMAT_XML, value);
    if (fits)
        put_scalar(writer, shape, value, tap_buf_text(&text));
    tap_buf_fini_secret(&text);
    return fits ? TAP_OK : misfit(writer, name, kind);
}

static tap_err write_value(struct writer *writer, const char *name, const json_t *ref,
                           const json_t *value)
{
    const json_t *shape = tap_ref_shape(writer->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    tap_err code;
    if (json_is_null(value)) {
        tap_cbor_put_null(writer->out);
        return TAP_OK;
    }
    if (!tap_shape_fits(kind, value))
        return misfit(writer, name, kind);
    if (writer->depth == TAP_MAX_DEPTH)
        return tap_fail(writer->err, TAP_E_LIMIT, "TooDeep",
                        "the value nests deeper than %d levels", TAP_MAX_DEPTH);
    writer->depth++;
    switch (kind) {
    case TAP_SHAPE_STRUCTURE: code = write_structure(writer, shape, value); break;
    case TAP_SHAPE_LIST: code = write_list(writer, name, shape, value); break;
    case TAP_SHAPE_MAP: code = write_map(writer, shape, value); break;
    default: code = write_scalar(writer, name, shape, value);
    }
    writer->depth--;
    return code;
}

tap_err tap_cbor_write_value(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                             const json_t *value, struct tap_error *err)
{
    struct writer writer = {.model = model, .out = out, .err = err};
    return write_value(&writer, "body", ref, value);
}
