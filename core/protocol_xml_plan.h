/*
 * What a model says of values in XML, looked up once: a page of a hundred stack events holds two
 * thousand values of a dozen shapes, and is asked for again and again. Private to protocol_xml_*.c.
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
    struct tap_xml_plan *next;         /* of its bucket */
};

enum { TAP_XML_BUCKETS = 128 };

/* All plans of a model, as far as messages have asked for them. */
struct tap_xml_plans {
    const struct tap_model *model;
    struct tap_xml_plan *buckets[TAP_XML_BUCKETS]; /* by the address of the shape */
    size_t structures;                             /* that have been read so far */
};

/* The model's own, and freed with it. */
struct tap_xml_plans *tap_xml_plans_of(const struct tap_model *model);
/* The plans are the set's. Shapes may contain themselves. */
struct tap_xml_use tap_xml_use_of(struct tap_xml_plans *plans, const json_t *ref);
/* Plans a structure's members, when that has not been done: messages say little of what their
 * models know. */
void tap_xml_plan_members(struct tap_xml_plans *plans, struct tap_xml_plan *plan);

#endif
