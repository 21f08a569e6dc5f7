/*
 * Reading values from XML. See protocol_xml.h.
 */
#include <string.h>

#include "protocol_xml.h"
#include "protocol_xml_plan.h"

struct reader {
    struct tap_xml_plans *plans;
    struct tap_error *err;
    tap_err code; /* of the first value that does not fit */
};

static json_t *read_value(struct reader *reader, struct tap_xml_plan *plan,
                          const struct tap_xml *xml);

static json_t *read_scalar(struct reader *reader, enum tap_shape_kind kind, const char *name,
                           const char *text)
{
    bool wordy = kind == TAP_SHAPE_STRING || kind == TAP_SHAPE_BLOB;
    if (!wordy && !text[strspn(text, " \t\r\n")])
        return NULL;              /* <DeletionTime/>: there is none */
    if (kind == TAP_SHAPE_STRING) /* the parser has seen that it is UTF-8 */
        return json_stringn_nocheck(text, strlen(text));
    json_t *value = tap_scalar_read(kind, text, strlen(text));
    if (!value && !reader->code) {
        char shown[64];
        tap_error_copy(shown, sizeof shown, text);
        reader->code = tap_fail(reader->err, TAP_E_PROTOCOL, "UnexpectedAnswer",
                                "the answer's %s is \"%s\", where the service's model has %s", name,
                                shown, tap_shape_kind_name(kind));
    }
    return value;
}

/* Adds the list element `xml` stands for; scalars that say nothing are dropped. */
static void add_item(struct reader *reader, json_t *list, struct tap_xml_plan *plan,
                     const struct tap_xml *xml)
{
    json_t *item = read_value(reader, plan->inner.plan, xml);
    if (item)
        json_array_append_new(list, item);
}

static void add_entry(struct reader *reader, json_t *map, struct tap_xml_plan *plan,
                      const struct tap_xml *xml)
{
    const char *key = tap_xml_child_text(xml, plan->key);
    const struct tap_xml *value = tap_xml_child(xml, plan->value);
    json_t *item = value ? read_value(reader, plan->inner.plan, value) : NULL;
    if (key && item)
        json_object_set_new(map, key, item);
    else
        json_decref(item);
}

/* A flattened list or map: all children of that name. NULL when there is none. */
static json_t *read_flattened(struct reader *reader, const struct tap_xml_member *member,
                              const struct tap_xml *parent)
{
    bool list = member->use.plan->kind == TAP_SHAPE_LIST;
    json_t *value = NULL;
    for (size_t i = 0; i < parent->n_children; i++) {
        const struct tap_xml *child = parent->children[i];
        if (strcmp(child->name, member->wire) != 0)
            continue;
        if (!value)
            value = list ? json_array() : json_object();
        if (list)
            add_item(reader, value, member->use.plan, child);
        else
            add_entry(reader, value, member->use.plan, child);
    }
    return value;
}

static json_t *read_attribute(struct reader *reader, const struct tap_xml_member *member,
                              const struct tap_xml *xml)
{
    for (size_t i = 0; i < xml->n_attributes; i++)
        if (strcmp(xml->attributes[i].name, member->wire) == 0)
            return read_scalar(reader, member->use.plan->kind, member->wire,
                               xml->attributes[i].value);
    return NULL;
}

/* Members that are not one child of their own. */
static void read_spread(struct reader *reader, json_t *value, const struct tap_xml_plan *plan,
                        const struct tap_xml *xml)
{
    for (size_t i = 0; i < plan->n_members; i++) {
        const struct tap_xml_member *member = &plan->members[i];
        json_t *item = NULL;
        if (member->attribute)
            item = read_attribute(reader, member, xml);
        else if (member->use.flattened)
            item = read_flattened(reader, member, xml);
        if (item)
            json_object_set_new_nocheck(value, member->name, item);
    }
}

/* The member that an element is, looked for from *at on, behind which *at then stands: elements
 * come in the order of the model, mostly. NULL: none, or one that is spread. */
static struct tap_xml_member *member_of(const struct tap_xml_plan *plan, const char *wire,
                                        size_t *at)
{
    for (size_t i = 0; i < plan->n_members; i++) {
        struct tap_xml_member *member = &plan->members[*at];
        *at = *at + 1 < plan->n_members ? *at + 1 : 0;
        if (strcmp(member->wire, wire) == 0)
            return member->attribute || member->use.flattened ? NULL : member;
    }
    return NULL;
}

static json_t *read_structure(struct reader *reader, struct tap_xml_plan *plan,
                              const struct tap_xml *xml)
{
    json_t *value = json_object();
    size_t at = 0, number = ++reader->plans->structures;
    tap_xml_plan_members(reader->plans, plan);
    if (plan->spread)
        read_spread(reader, value, plan, xml);
    for (size_t i = 0; i < xml->n_children; i++) {
        struct tap_xml_member *member = member_of(plan, xml->children[i]->name, &at);
        if (!member || member->seen == number)
            continue; /* of two the first counts */
        member->seen = number;
        json_t *item = read_value(reader, member->use.plan, xml->children[i]);
        if (item)
            json_object_set_new_nocheck(value, member->name, item);
    }
    return value;
}

/* NULL: an empty element that stands for no value. The recursion is as deep as the XML, which has a
 * limit. */
static json_t *read_value(struct reader *reader, struct tap_xml_plan *plan,
                          const struct tap_xml *xml)
{
    json_t *value;
    switch (plan->kind) {
    case TAP_SHAPE_STRUCTURE: return read_structure(reader, plan, xml);
    case TAP_SHAPE_LIST:
        value = json_array();
        for (size_t i = 0; i < xml->n_children; i++)
            add_item(reader, value, plan, xml->children[i]);
        return value;
    case TAP_SHAPE_MAP:
        value = json_object();
        for (size_t i = 0; i < xml->n_children; i++)
            add_entry(reader, value, plan, xml->children[i]);
        return value;
    default: return read_scalar(reader, plan->kind, xml->name, xml->text);
    }
}

tap_err tap_xml_read_value(json_t **value, const struct tap_model *model, const json_t *ref,
                           const struct tap_xml *xml, struct tap_error *err)
{
    struct reader reader = {.plans = tap_xml_plans_of(model), .err = err};
    *value = read_value(&reader, tap_xml_use_of(reader.plans, ref).plan, xml);
    if (reader.code) {
        json_decref(*value);
        *value = NULL;
    }
    return reader.code;
}
