/*
 * Reading values from XML. See protocol_xml.h.
 *
 * What the model says of a shape is looked up once an answer, as a plan: a page of a hundred stack
 * events holds two thousand values of a dozen shapes.
 */
#include <string.h>

#include "mem.h"
#include "protocol_xml.h"

struct plan;

struct member {
    const char *name; /* in the value */
    const char *wire; /* in the XML */
    bool attribute, flattened;
    struct plan *plan;
};

struct plan {
    const json_t *shape;
    enum tap_shape_kind kind;
    struct member *members; /* of a structure */
    size_t n_members;
    const char *key, *value; /* element names of a map */
    struct plan *inner;      /* of a list's elements, a map's values */
    struct plan *next;
};

struct reader {
    const struct tap_model *model;
    struct plan *plans; /* made so far: shapes may contain themselves */
    struct tap_error *err;
    tap_err code; /* of the first value that does not fit */
};

/* ---- plans ---- */

static struct plan *plan_of(struct reader *reader, const json_t *ref);

static void plan_members(struct reader *reader, struct plan *plan)
{
    const json_t *members = json_object_get(plan->shape, "members");
    plan->members = tap_calloc(json_object_size(members), sizeof *plan->members);
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const json_t *ref = json_object_iter_value(at);
        struct member *member = &plan->members[plan->n_members++];
        member->plan = plan_of(reader, ref);
        member->name = json_object_iter_key(at);
        member->wire = tap_wire_name(ref, member->plan->shape, member->name);
        member->attribute = tap_ref_flag(ref, "xmlAttribute");
        member->flattened = tap_wire_flattened(ref, member->plan->shape);
    }
}

/* Borrowed from the reader. A structure's members are planned when the first one is read: answers
 * say little of what their models know. */
static struct plan *plan_of(struct reader *reader, const json_t *ref)
{
    const json_t *shape = tap_ref_shape(reader->model, ref);
    for (struct plan *plan = reader->plans; plan; plan = plan->next)
        if (plan->shape == shape)
            return plan;
    struct plan *plan = tap_alloc(sizeof *plan);
    *plan = (struct plan){.shape = shape, .kind = tap_shape_kind(shape), .next = reader->plans};
    reader->plans = plan;
    if (plan->kind == TAP_SHAPE_LIST) {
        plan->inner = plan_of(reader, json_object_get(shape, "member"));
    } else if (plan->kind == TAP_SHAPE_MAP) {
        plan->key = tap_wire_key_name(shape);
        plan->value = tap_wire_value_name(shape);
        plan->inner = plan_of(reader, json_object_get(shape, "value"));
    }
    return plan;
}

static void free_plans(struct reader *reader)
{
    for (struct plan *plan = reader->plans, *next; plan; plan = next) {
        next = plan->next;
        tap_free(plan->members);
        tap_free(plan);
    }
}

/* ---- values ---- */

static json_t *read_value(struct reader *reader, struct plan *plan, const struct tap_xml *xml);

static json_t *read_scalar(struct reader *reader, enum tap_shape_kind kind, const char *name,
                           const char *text)
{
    bool wordy = kind == TAP_SHAPE_STRING || kind == TAP_SHAPE_BLOB;
    if (!wordy && !text[strspn(text, " \t\r\n")])
        return NULL; /* <DeletionTime/>: there is none */
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
static void add_item(struct reader *reader, json_t *list, struct plan *plan,
                     const struct tap_xml *xml)
{
    json_t *item = read_value(reader, plan->inner, xml);
    if (item)
        json_array_append_new(list, item);
}

static void add_entry(struct reader *reader, json_t *map, struct plan *plan,
                      const struct tap_xml *xml)
{
    const char *key = tap_xml_child_text(xml, plan->key);
    const struct tap_xml *value = tap_xml_child(xml, plan->value);
    json_t *item = value ? read_value(reader, plan->inner, value) : NULL;
    if (key && item)
        json_object_set_new(map, key, item);
    else
        json_decref(item);
}

/* A flattened list or map: all children of that name. NULL when there is none. */
static json_t *read_flattened(struct reader *reader, const struct member *member,
                              const struct tap_xml *parent)
{
    bool list = member->plan->kind == TAP_SHAPE_LIST;
    json_t *value = NULL;
    for (size_t i = 0; i < parent->n_children; i++) {
        const struct tap_xml *child = parent->children[i];
        if (strcmp(child->name, member->wire) != 0)
            continue;
        if (!value)
            value = list ? json_array() : json_object();
        if (list)
            add_item(reader, value, member->plan, child);
        else
            add_entry(reader, value, member->plan, child);
    }
    return value;
}

static json_t *read_attribute(struct reader *reader, const struct member *member,
                              const struct tap_xml *xml)
{
    for (size_t i = 0; i < xml->n_attributes; i++)
        if (strcmp(xml->attributes[i].name, member->wire) == 0)
            return read_scalar(reader, member->plan->kind, member->wire, xml->attributes[i].value);
    return NULL;
}

static json_t *read_member(struct reader *reader, const struct member *member,
                           const struct tap_xml *xml)
{
    if (member->attribute)
        return read_attribute(reader, member, xml);
    if (member->flattened)
        return read_flattened(reader, member, xml);
    const struct tap_xml *child = tap_xml_child(xml, member->wire);
    return child ? read_value(reader, member->plan, child) : NULL;
}

static json_t *read_structure(struct reader *reader, struct plan *plan, const struct tap_xml *xml)
{
    json_t *value = json_object();
    if (!plan->members)
        plan_members(reader, plan);
    for (size_t i = 0; i < plan->n_members; i++) {
        json_t *item = read_member(reader, &plan->members[i], xml);
        if (item)
            json_object_set_new_nocheck(value, plan->members[i].name, item);
    }
    return value;
}

/* NULL: an empty element that stands for no value. The recursion is as deep as the XML, which has a
 * limit. */
static json_t *read_value(struct reader *reader, struct plan *plan, const struct tap_xml *xml)
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
    struct reader reader = {.model = model, .err = err};
    *value = read_value(&reader, plan_of(&reader, ref), xml);
    free_plans(&reader);
    if (reader.code) {
        json_decref(*value);
        *value = NULL;
    }
    return reader.code;
}
