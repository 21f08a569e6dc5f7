/*
 * Members that stand in paths, queries and headers, as text.
 */
#include <string.h>

#include "message.h"
#include "rest.h"
#include "text.h"

const char *tap_rest_location(const json_t *ref)
{
    const char *location = json_string_value(json_object_get(ref, "location"));
    return location ? location : "";
}

/* Documents in headers are packed in base64, as their quotes and lines would break the header. */
static bool is_packed(const json_t *ref)
{
    return tap_ref_flag(ref, "jsonvalue") && strcmp(tap_rest_location(ref), "header") == 0;
}

tap_err tap_rest_write_text(struct tap_buf *out, const struct tap_model *model, const char *member,
                            const json_t *ref, const char *time_format, const json_t *value,
                            struct tap_error *err)
{
    const json_t *shape = tap_ref_shape(model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    const char *trait = tap_ref_trait(ref, shape, "timestampFormat");
    if (is_packed(ref) && json_is_string(value)) {
        tap_base64_encode(out, json_string_value(value), json_string_length(value));
        return TAP_OK;
    }
    if (tap_scalar_write(out, kind, trait ? trait : time_format, value))
        return TAP_OK;
    return tap_fail(err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", member,
                    tap_shape_kind_name(kind));
}

json_t *tap_rest_read_text(const struct tap_model *model, const json_t *ref, const char *text,
                           size_t len)
{
    if (!is_packed(ref))
        return tap_scalar_read(tap_shape_kind(tap_ref_shape(model, ref)), text, len);
    struct tap_buf plain;
    tap_buf_init(&plain, len);
    json_t *value =
        tap_base64_decode(&plain, text, len) ? json_stringn(tap_buf_text(&plain), plain.len) : NULL;
    tap_buf_fini(&plain);
    return value;
}
