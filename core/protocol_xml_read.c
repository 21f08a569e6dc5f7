/*
 * Reading values from XML. See protocol_xml.h.
 */
#include <string.h>

#include "protocol_xml.h"

struct reader {
    const struct tap_model *model;
    struct tap_error *err;
    tap_err code; /* of the first value that does not fit */
};

static json_t *read_value(struct reader *reader, const json_t *ref, const struct tap_xml *xml);

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
static void add_item(struct reader *reader, json_t *list, const json_t *shape,
                     const struct tap_xml *xml)
{
    json_t *item = read_value(reader, json_object_get(shape, "member"), xml);
    if (item)
        json_array_append_new(list, item);
}

static void add_entry(struct reader *reader, json_t *map, const json_t *shape,
                      const struct tap_xml *xml)
{
    const char *key = tap_xml_child_text(xml, tap_wire_key_name(shape));
    const struct tap_xml *value = tap_xml_child(xml, tap_wire_value_name(shape));
    json_t *item = value ? read_value(reader, json_object_get(shape, "value"), value) : NULL;
    if (key && item)
        json_object_set_new(map, key, item);
    else
        json_decref(item);
}

/* A flattened list or map: all children of that name. NULL when there is none. */
static json_t *read_flattened(struct reader *reader, const json_t *shape, const char *name,
                              const struct tap_xml *parent)
{
    bool list = tap_shape_kind(shape) == TAP_SHAPE_LIST;
    json_t *value = NULL;
    for (size_t i = 0; i < parent->n_children; i++) {
        const struct tap_xml *child = parent->children[i];
        if (strcmp(child->name, name) != 0)
            continue;
        if (!value)
            value = list ? json_array() : json_object();
        if (list)
            add_item(reader, value, shape, child);
        else
            add_entry(reader, value, shape, child);
    }
    return value;
}

static json_t *read_attribute(struct reader *reader, const json_t *shape, const char *name,
                              const struct tap_xml *xml)
{
    for (size_t i = 0; i < xml->n_attributes; i++)
        if (strcmp(xml->attributes[i].name, name) == 0)
            return read_scalar(reader, tap_shape_kind(shape), name, xml->attributes[i].value);
    return NULL;
}

static json_t *read_structure(struct reader *reader, const json_t *shape, const struct tap_xml *xml)
{
    const json_t *members = json_object_get(shape, "members");
    json_t *value = json_object();
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = tap_ref_shape(reader->model, ref);
        const char *name = tap_wire_name(reader->model, ref, member);
        const struct tap_xml *child = tap_xml_child(xml, name);
        json_t *item = NULL;
        if (tap_ref_flag(ref, "xmlAttribute"))
            item = read_attribute(reader, inner, name, xml);
        else if (tap_wire_flattened(ref, inner))
            item = read_flattened(reader, inner, name, xml);
        else if (child)
            item = read_value(reader, ref, child);
        if (item)
            json_object_set_new(value, member, item);
    }
    return value;
}

/* NULL: an empty element that stands for no value. The recursion is as deep as the XML, which has a
 * limit. */
static json_t *read_value(struct reader *reader, const json_t *ref, const struct tap_xml *xml)
{
    const json_t *shape = tap_ref_shape(reader->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    json_t *value;
    switch (kind) {
    case TAP_SHAPE_STRUCTURE: return read_structure(reader, shape, xml);
    case TAP_SHAPE_LIST:
        value = json_array();
        for (size_t i = 0; i < xml->n_children; i++)
            add_item(reader, value, shape, xml->children[i]);
        return value;
    case TAP_SHAPE_MAP:
        value = json_object();
        for (size_t i = 0; i < xml->n_children; i++)
            add_entry(reader, value, shape, xml->children[i]);
        return value;
    default: return read_scalar(reader, kind, xml->name, xml->text);
    }
}

tap_err tap_xml_read_value(json_t **value, const struct tap_model *model, const json_t *ref,
                           const struct tap_xml *xml, struct tap_error *err)
{
    struct reader reader = {.model = model, .err = err};
    *value = read_value(&reader, ref, xml);
    if (reader.code) {
        json_decref(*value);
        *value = NULL;
    }
    return reader.code;
}
