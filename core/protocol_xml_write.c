/*
 * Writing values as XML. See protocol_xml.h.
 */
#include <string.h>

#include "json.h"
#include "message.h"
#include "protocol_xml.h"
#include "protocol_xml_plan.h"

struct writer {
    struct tap_xml_plans *plans;
    struct tap_buf *out;
    size_t depth;
    struct tap_error *err;
};

static tap_err write_value(struct writer *writer, const char *name, const struct tap_xml_use *use,
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

static void put_namespace(struct writer *writer, const struct tap_xml_use *use)
{
    char name[64] = "xmlns";
    if (!use->space)
        return;
    if (use->prefix) {
        tap_error_copy(name + 5, sizeof name - 5, ":");
        tap_error_copy(name + 6, sizeof name - 6, use->prefix);
    }
    put_attribute(writer, name, use->space, strlen(use->space));
}

/* A scalar's text, appended to `text`. */
static tap_err scalar(struct writer *writer, struct tap_buf *text, const char *name,
                      const struct tap_xml_use *use, const json_t *value)
{
    enum tap_shape_kind kind = use->plan->kind;
    tap_buf_init(text, TAP_MAX_BODY);
    if (tap_scalar_write(text, kind, use->format ? use->format : TAP_TIME_FORMAT_XML, value))
        return TAP_OK;
    return tap_fail(writer->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", name,
                    tap_shape_kind_name(kind));
}

static tap_err write_scalar(struct writer *writer, const char *name, const struct tap_xml_use *use,
                            const json_t *value)
{
    if (use->plan->kind == TAP_SHAPE_STRING && json_is_string(value)) { /* nearly all */
        tap_xml_escape(writer->out, json_string_value(value), json_string_length(value));
        return TAP_OK;
    }
    struct tap_buf text;
    tap_err code = scalar(writer, &text, name, use, value);
    tap_xml_escape(writer->out, tap_buf_text(&text), text.len);
    tap_buf_fini_secret(&text);
    return code;
}

/* The members that are attributes of their structure's element. */
static tap_err write_attributes(struct writer *writer, struct tap_xml_plan *plan,
                                const json_t *value)
{
    tap_err code = TAP_OK;
    tap_xml_plan_members(writer->plans, plan);
    for (size_t i = 0; plan->spread && i < plan->n_members && !code; i++) {
        const struct tap_xml_member *member = &plan->members[i];
        const json_t *inner = member->attribute ? json_object_get(value, member->name) : NULL;
        if (!inner || json_is_null(inner))
            continue;
        struct tap_buf text;
        code = scalar(writer, &text, member->wire, &member->use, inner);
        put_attribute(writer, member->wire, tap_buf_text(&text), text.len);
        tap_buf_fini(&text);
    }
    return code;
}

static tap_err write_members(struct writer *writer, struct tap_xml_plan *plan, const json_t *value)
{
    tap_err code = TAP_OK;
    tap_xml_plan_members(writer->plans, plan);
    for (size_t i = 0; i < plan->n_members && !code; i++) {
        const struct tap_xml_member *member = &plan->members[i];
        const json_t *inner = json_object_get(value, member->name);
        if (inner && !json_is_null(inner) && !member->attribute)
            code = write_value(writer, member->wire, &member->use, inner);
    }
    return code;
}

static tap_err write_items(struct writer *writer, const char *name, const struct tap_xml_plan *plan,
                           const json_t *list)
{
    tap_err code = TAP_OK;
    for (size_t i = 0; i < json_array_size(list) && !code; i++)
        if (!json_is_null(json_array_get(list, i)))
            code = write_value(writer, name, &plan->inner, json_array_get(list, i));
    return code;
}

static void write_key(struct writer *writer, const struct tap_xml_plan *plan, const char *key)
{
    put_open(writer, plan->key);
    put_namespace(writer, &plan->key_use);
    tap_buf_putc(writer->out, '>');
    tap_xml_escape(writer->out, key, strlen(key));
    put_close(writer, plan->key);
}

static tap_err write_entries(struct writer *writer, const char *name,
                             const struct tap_xml_plan *plan, const json_t *map)
{
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)map); at && !code;
         at = json_object_iter_next((json_t *)map, at)) {
        if (json_is_null(json_object_iter_value(at)))
            continue;
        put_open(writer, name);
        tap_buf_putc(writer->out, '>');
        write_key(writer, plan, json_object_iter_key(at));
        code = write_value(writer, plan->value, &plan->inner, json_object_iter_value(at));
        put_close(writer, name);
    }
    return code;
}

/* What stands between an element's tags. */
static tap_err write_content(struct writer *writer, const char *name, const struct tap_xml_use *use,
                             const json_t *value)
{
    switch (use->plan->kind) {
    case TAP_SHAPE_STRUCTURE: return write_members(writer, use->plan, value);
    case TAP_SHAPE_LIST: return write_items(writer, use->plan->item, use->plan, value);
    case TAP_SHAPE_MAP: return write_entries(writer, "entry", use->plan, value);
    default: return write_scalar(writer, name, use, value);
    }
}

static tap_err write_element(struct writer *writer, const char *name, const struct tap_xml_use *use,
                             const json_t *value)
{
    put_open(writer, name);
    put_namespace(writer, use);
    tap_err code = use->plan->kind == TAP_SHAPE_STRUCTURE
                       ? write_attributes(writer, use->plan, value)
                       : TAP_OK;
    tap_buf_putc(writer->out, '>');
    if (!code)
        code = write_content(writer, name, use, value);
    put_close(writer, name);
    return code;
}

static tap_err write_value(struct writer *writer, const char *name, const struct tap_xml_use *use,
                           const json_t *value)
{
    enum tap_shape_kind kind = use->plan->kind;
    tap_err code;
    if (writer->depth == TAP_MAX_DEPTH)
        return tap_fail(writer->err, TAP_E_LIMIT, "TooDeep",
                        "the value nests deeper than %d levels", TAP_MAX_DEPTH);
    writer->depth++;
    if (!tap_shape_fits(kind, value))
        code = tap_fail(writer->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s", name,
                        tap_shape_kind_name(kind));
    else if (kind == TAP_SHAPE_LIST && use->flattened)
        code = write_items(writer, name, use->plan, value);
    else if (kind == TAP_SHAPE_MAP && use->flattened)
        code = write_entries(writer, name, use->plan, value);
    else
        code = write_element(writer, name, use, value);
    writer->depth--;
    return code;
}

tap_err tap_xml_write_value(struct tap_buf *out, const struct tap_model *model, const char *name,
                            const json_t *ref, const json_t *value, struct tap_error *err)
{
    struct writer writer = {.plans = tap_xml_plans_of(model), .out = out, .err = err};
    struct tap_xml_use use = tap_xml_use_of(writer.plans, ref);
    return write_value(&writer, name, &use, value);
}

tap_err tap_xml_write_members(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                              const json_t *value, struct tap_error *err)
{
    struct writer writer = {.plans = tap_xml_plans_of(model), .out = out, .err = err};
    return write_members(&writer, tap_xml_use_of(writer.plans, ref).plan, value);
}

void tap_xml_write_text(struct tap_buf *out, const char *name, const char *text)
{
    tap_buf_printf(out, "<%s>", name);
    tap_xml_escape(out, text, strlen(text));
    tap_buf_printf(out, "</%s>", name);
}
