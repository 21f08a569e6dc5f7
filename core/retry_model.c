/*
 * What a model says of sending an operation again. See retry_model.h.
 */
#include "retry_model.h"

#include <ctype.h>
#include <string.h>

#include "protocol_shape.h"

enum tap_retry_class tap_retry_modelled(const struct tap_model *model, const json_t *operation,
                                        const char *code)
{
    size_t i;
    json_t *ref;
    json_array_foreach(json_object_get(operation, "errors"), i, ref)
    {
        const json_t *shape = tap_ref_shape(model, ref);
        const json_t *retryable = json_object_get(shape, "retryable");
        const char *name = json_string_value(json_object_get(ref, "shape"));
        const char *on_wire =
            json_string_value(json_object_get(json_object_get(shape, "error"), "code"));
        if (retryable && strcmp(on_wire ? on_wire : name, code) == 0)
            return tap_ref_flag(retryable, "throttling") ? TAP_RETRY_THROTTLED
                                                         : TAP_RETRY_TRANSIENT;
    }
    return TAP_RETRY_NO;
}

/* Older models carry no traits; these beginnings of names are how AWS calls what only reads. */
static const char *const reading[] = {
    "BatchGet", "Check", "Describe", "Estimate", "Get",    "Head",     "List",
    "Lookup",   "Query", "Scan",     "Search",   "Select", "Validate",
};

/* "GetItem" begins with the word "Get", "Getaway" does not. */
static bool only_reads(const char *name)
{
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        size_t len = strlen(reading[i]);
        if (strncmp(name, reading[i], len) == 0 && !islower((unsigned char)name[len]))
            return true;
    }
    return false;
}

static bool has_token(const struct tap_model *model, const json_t *operation)
{
    const json_t *ref = json_object_get(operation, "input");
    json_t *members = json_object_get(ref ? tap_ref_shape(model, ref) : NULL, "members");
    const char *name;
    json_t *member;
    json_object_foreach(members, name, member)
    {
        if (tap_ref_flag(member, "idempotencyToken"))
            return true;
    }
    return false;
}

bool tap_retry_may_act_twice(const struct tap_model *model, const json_t *operation)
{
    const char *method =
        json_string_value(json_object_get(json_object_get(operation, "http"), "method"));
    const char *name = json_string_value(json_object_get(operation, "name"));
    bool reads = tap_ref_flag(operation, "readonly") || only_reads(name ? name : "") ||
                 (method && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0));
    return !reads && !tap_ref_flag(operation, "idempotent") && !has_token(model, operation);
}
