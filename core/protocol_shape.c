/*
 * Shapes, references and scalars of a service model. See protocol_shape.h.
 */
#include "protocol_shape.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "mem.h"
#include "text.h"
#include "timestamp.h"

static const struct {
    const char *type;
    enum tap_shape_kind kind;
} types[] = {
    /* the frequent ones first */
    {"string", TAP_SHAPE_STRING},    {"structure", TAP_SHAPE_STRUCTURE},
    {"list", TAP_SHAPE_LIST},        {"map", TAP_SHAPE_MAP},
    {"character", TAP_SHAPE_STRING}, {"blob", TAP_SHAPE_BLOB},
    {"boolean", TAP_SHAPE_BOOLEAN},  {"integer", TAP_SHAPE_INTEGER},
    {"byte", TAP_SHAPE_INTEGER},     {"short", TAP_SHAPE_INTEGER},
    {"long", TAP_SHAPE_LONG},        {"biginteger", TAP_SHAPE_LONG},
    {"float", TAP_SHAPE_FLOAT},      {"double", TAP_SHAPE_FLOAT},
    {"bigdecimal", TAP_SHAPE_FLOAT}, {"timestamp", TAP_SHAPE_TIMESTAMP},
};

const json_t *tap_ref_shape(const struct tap_model *model, const json_t *ref)
{
    return tap_model_shape(model, json_string_value(json_object_get(ref, "shape")));
}

enum tap_shape_kind tap_shape_kind(const json_t *shape)
{
    const char *type = json_string_value(json_object_get(shape, "type"));
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].kind;
    return TAP_SHAPE_STRING;
}

const char *tap_shape_kind_name(enum tap_shape_kind kind)
{
    static const char *const names[] = {
        [TAP_SHAPE_STRUCTURE] = "an object",  [TAP_SHAPE_LIST] = "a list",
        [TAP_SHAPE_MAP] = "an object",        [TAP_SHAPE_STRING] = "a string",
        [TAP_SHAPE_BLOB] = "a base64 string", [TAP_SHAPE_BOOLEAN] = "a boolean",
        [TAP_SHAPE_INTEGER] = "an integer",   [TAP_SHAPE_LONG] = "an integer",
        [TAP_SHAPE_FLOAT] = "a number",       [TAP_SHAPE_TIMESTAMP] = "a timestamp",
    };
    return names[kind];
}

bool tap_shape_fits(enum tap_shape_kind kind, const json_t *value)
{
    if (kind == TAP_SHAPE_STRUCTURE || kind == TAP_SHAPE_MAP)
        return json_is_object(value);
    if (kind == TAP_SHAPE_LIST)
        return json_is_array(value);
    return !json_is_object(value) && !json_is_array(value);
}

const char *tap_ref_trait(const json_t *ref, const json_t *shape, const char *name)
{
    const char *own = json_string_value(json_object_get(ref, name));
    return own ? own : json_string_value(json_object_get(shape, name));
}

bool tap_ref_flag(const json_t *ref, const char *name)
{
    return json_is_true(json_object_get(ref, name));
}

const char *tap_stream_member(const struct tap_model *model, const json_t *operation,
                              const char *side)
{
    const json_t *ref = json_object_get(operation, side);
    const json_t *shape = ref ? tap_ref_shape(model, ref) : NULL;
    const char *payload = json_string_value(json_object_get(shape, "payload"));
    const json_t *member =
        payload ? json_object_get(json_object_get(shape, "members"), payload) : NULL;
    const json_t *its_shape = member ? tap_ref_shape(model, member) : NULL;
    bool streaming = tap_ref_flag(its_shape, "streaming") || tap_ref_flag(member, "streaming");
    return streaming ? payload : NULL;
}

const char *tap_wire_own_name(const json_t *ref, const char *member)
{
    const char *name = json_string_value(json_object_get(ref, "locationName"));
    return name ? name : member;
}

bool tap_wire_flattened(const json_t *ref, const json_t *shape)
{
    return tap_ref_flag(ref, "flattened") || tap_ref_flag(shape, "flattened");
}

const char *tap_wire_name(const json_t *ref, const json_t *shape, const char *member)
{
    const char *name = tap_wire_own_name(ref, member);
    /* Models of before Smithy say "flattened" on the list itself; then its elements' name stands in
     * place of the member's. */
    if (tap_shape_kind(shape) == TAP_SHAPE_LIST && tap_ref_flag(shape, "flattened")) {
        const json_t *item = json_object_get(shape, "member");
        const char *item_name = json_string_value(json_object_get(item, "locationName"));
        name = item_name ? item_name : name;
    }
    return name;
}

static const char *inner_name(const json_t *shape, const char *part, const char *otherwise)
{
    const json_t *ref = json_object_get(shape, part);
    const char *name = json_string_value(json_object_get(ref, "locationName"));
    return name ? name : otherwise;
}

const char *tap_wire_item_name(const json_t *list)
{
    return inner_name(list, "member", "member");
}

const char *tap_wire_key_name(const json_t *map)
{
    return inner_name(map, "key", "key");
}

const char *tap_wire_value_name(const json_t *map)
{
    return inner_name(map, "value", "value");
}

static bool is_special_float(const char *text)
{
    return strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
           strcmp(text, "-Infinity") == 0;
}

/* An integer, or a real without a fraction: scripts do not tell 3 from 3.0. */
static bool whole_number(int64_t *out, const json_t *value)
{
    double real = json_real_value(value);
    if (json_is_integer(value))
        *out = json_integer_value(value);
    else if (json_is_real(value) && real == floor(real) && fabs(real) < 0x1p63)
        *out = (int64_t)real;
    else
        return false;
    return true;
}

static bool write_integer(struct tap_buf *out, enum tap_shape_kind kind, const json_t *value)
{
    int64_t number;
    if (!whole_number(&number, value))
        return false;
    if (kind == TAP_SHAPE_INTEGER && (number < INT32_MIN || number > INT32_MAX))
        return false;
    tap_buf_printf(out, "%" PRId64, number);
    return true;
}

static bool write_float(struct tap_buf *out, const json_t *value)
{
    if (json_is_string(value) && is_special_float(json_string_value(value))) {
        tap_buf_puts(out, json_string_value(value));
        return true;
    }
    if (!json_is_number(value))
        return false;
    char *text = tap_json_print(value);
    tap_buf_puts(out, text);
    tap_free(text);
    return true;
}

static bool write_timestamp(struct tap_buf *out, const char *format, const json_t *value)
{
    double seconds = json_number_value(value);
    if (json_is_string(value) ? !tap_time_parse(&seconds, json_string_value(value))
                              : !json_is_number(value))
        return false;
    bool whole = seconds == floor(seconds);
    char text[TAP_TIME_SIZE];
    if (strcmp(format, "unixTimestamp") == 0) {
        tap_buf_printf(out, whole ? "%.0f" : "%.3f", seconds);
        return true;
    }
    if (strcmp(format, "rfc822") == 0)
        tap_time_http(text, seconds);
    else
        tap_time_iso(text, seconds, !whole);
    tap_buf_puts(out, text);
    return true;
}

static bool is_base64(const char *text, size_t len)
{
    struct tap_buf bytes;
    tap_buf_init(&bytes, len);
    bool valid = tap_base64_decode(&bytes, text, len);
    tap_buf_fini_secret(&bytes);
    return valid;
}

bool tap_scalar_write(struct tap_buf *out, enum tap_shape_kind kind, const char *format,
                      const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    switch (kind) {
    case TAP_SHAPE_INTEGER:
    case TAP_SHAPE_LONG: return write_integer(out, kind, value);
    case TAP_SHAPE_FLOAT: return write_float(out, value);
    case TAP_SHAPE_TIMESTAMP: return write_timestamp(out, format, value);
    case TAP_SHAPE_BOOLEAN:
        tap_buf_puts(out, json_is_true(value) ? "true" : "false");
        return json_is_boolean(value);
    case TAP_SHAPE_BLOB:
        if (!text || !is_base64(text, len))
            return false;
        break;
    default: break;
    }
    if (text)
        tap_buf_add(out, text, len);
    return text != NULL;
}

static json_t *number(double value)
{
    bool exact = value == floor(value) && fabs(value) < 0x1p53;
    return exact ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *read_integer(const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || *end || end == text ? NULL : json_integer(value);
}

/* strtod also takes "inf", "0x1p3" and blanks, which no service writes. */
static json_t *read_float(const char *text)
{
    char *end;
    if (is_special_float(text))
        return json_string(text);
    if (strspn(text, "+-.0123456789eE") != strlen(text) || !*text)
        return NULL;
    double value = strtod(text, &end);
    return *end ? NULL : json_real(value);
}

static json_t *read_timestamp(const char *text)
{
    double seconds;
    if (strspn(text, "-.0123456789") != strlen(text))
        return tap_time_parse(&seconds, text) ? number(seconds) : NULL;
    json_t *epoch = read_float(text);
    json_t *value = epoch ? number(json_real_value(epoch)) : NULL;
    json_decref(epoch);
    if (!value && tap_time_parse(&seconds, text)) /* a date without a time of day */
        value = number(seconds);
    return value;
}

static json_t *read_boolean(const char *text)
{
    if (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0)
        return json_true();
    if (strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0)
        return json_false();
    return NULL;
}

/* Services break long base64 into lines. */
static json_t *read_blob(const char *text, size_t len)
{
    struct tap_buf packed;
    tap_buf_init(&packed, len);
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            tap_buf_putc(&packed, text[i]);
    json_t *value = is_base64(tap_buf_text(&packed), packed.len)
                        ? json_stringn(tap_buf_text(&packed), packed.len)
                        : NULL;
    tap_buf_fini(&packed);
    return value;
}

json_t *tap_scalar_read(enum tap_shape_kind kind, const char *text, size_t len)
{
    if (kind == TAP_SHAPE_STRING)
        return json_stringn(text, len);
    if (kind == TAP_SHAPE_BLOB)
        return read_blob(text, len);
    while (len && strchr(" \t\r\n", *text))
        text++, len--;
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    if (memchr(text, '\0', len))
        return NULL;
    char *trimmed = tap_strndup(text, len);
    json_t *value = kind == TAP_SHAPE_BOOLEAN     ? read_boolean(trimmed)
                    : kind == TAP_SHAPE_FLOAT     ? read_float(trimmed)
                    : kind == TAP_SHAPE_TIMESTAMP ? read_timestamp(trimmed)
                                                  : read_integer(trimmed);
    tap_free(trimmed);
    return value;
}
