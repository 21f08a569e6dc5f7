/*
 * What a model says of values in XML, looked up once a message: a page of a hundred stack events
 * holds two thousand values of a dozen shapes. Private to protocol_xml_*.c.
 */
#ifndef TAP_PROTOCOL_XML_PLAN_H
#define TAP_PROTOCOL_XML_PLAN_H

#include "protocol_shape.h"

/* What a reference to a shape says, and its shape. All of it is borrowed from the model. */
struct tap_xml_use {
    struct tap_xml_plan *plan;
    bool flattened;
    const char *format;         /* of a timestamp; NULL: no trait says */
    const char *prefix, *space; /* the namespace of its element; both may be NULL */
};

struct tap_xml_member {
    const char *name; /* in the value */
    const char *wire; /* in the XML */
    bool attribute;
    size_t seen; /* the reader's: in the structure of that number, the last in which it was */
    struct tap_xml_use use;
};

struct tap_xml_plan {
    const json_t *shape;
    enum tap_shape_kind kind;
    struct tap_xml_member *members; /* of a structure; NULL: see tap_xml_plan_members */
    size_t n_members;
    bool spread;                       /* a member is an attribute, or several elements */
    const char *item;                  /* element name of a list's elements */
    const char *key, *value;           /* element names of a map */
    struct tap_xml_use key_use, inner; /* of a map's keys; of a list's elements, a map's values */
    struct tap_xml_plan *next;
};

/* All plans of a message; begin with {.model = model}. Shapes may contain themselves. */
struct tap_xml_plans {
    const struct tap_model *model;
    struct tap_xml_plan *first;
};

/* The plans are the set's. */
struct tap_xml_use tap_xml_use_of(struct tap_xml_plans *plans, const json_t *ref);
/* Plans a structure's members, when that has not been done: messages say little of what their
 * models know. */
void tap_xml_plan_members(struct tap_xml_plans *plans, struct tap_xml_plan *plan);
void tap_xml_plans_fini(struct tap_xml_plans *plans);

#endif
