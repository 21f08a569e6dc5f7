/*
 * Reading a model's shapes: what kind a shape is, which traits a reference to it has, and its
 * scalars as the text that XML and query strings carry. Private to the protocols.
 *
 * A reference is what stands in a structure's "members", a list's "member", an operation's "input":
 * an object that names a shape and may add traits to it.
 */
#ifndef TAP_PROTOCOL_SHAPE_H
#define TAP_PROTOCOL_SHAPE_H

#include <jansson.h>
#include <stdbool.h>

#include "buf.h"
#include "model.h"

enum tap_shape_kind {
    TAP_SHAPE_STRUCTURE,
    TAP_SHAPE_LIST,
    TAP_SHAPE_MAP,
    TAP_SHAPE_STRING,
    TAP_SHAPE_BLOB,
    TAP_SHAPE_BOOLEAN,
    TAP_SHAPE_INTEGER, /* 32 bits */
    TAP_SHAPE_LONG,    /* 64 bits */
    TAP_SHAPE_FLOAT,   /* NaN and the infinities are the strings "NaN", "Infinity", "-Infinity" */
    TAP_SHAPE_TIMESTAMP
};

const json_t *tap_ref_shape(const struct tap_model *model, const json_t *ref);
enum tap_shape_kind tap_shape_kind(const json_t *shape);
/* A trait that is a text, from the reference or else from its shape; NULL when neither has it. */
const char *tap_ref_trait(const json_t *ref, const json_t *shape, const char *name);
bool tap_ref_flag(const json_t *ref, const char *name);

/* The member of an operation's "input" or "output" that is a stream of bytes and the whole body, as
 * PutObject's and GetObject's Body; NULL when there is none. */
const char *tap_stream_member(const struct tap_model *model, const json_t *operation,
                              const char *side);

/* A member's name in JSON, headers and paths: the model's locationName, or else its own. */
const char *tap_wire_own_name(const json_t *ref, const char *member);
/* Names in forms and XML. A structure's member, whose reference and shape are given: */
const char *tap_wire_name(const json_t *ref, const json_t *shape, const char *member);
/* True when the elements of a list or map stand directly under the member's name. */
bool tap_wire_flattened(const json_t *ref, const json_t *shape);
/* A list's element ("member"); a map's key and value ("key", "value"). */
const char *tap_wire_item_name(const json_t *list);
const char *tap_wire_key_name(const json_t *map);
const char *tap_wire_value_name(const json_t *map);

/* How a timestamp is written when no trait says otherwise. */
#define TAP_TIME_FORMAT_XML "iso8601"

/* "a string", "an integer", ...: for messages. */
const char *tap_shape_kind_name(enum tap_shape_kind kind);

/* False for an object or list where another kind is wanted, and the other way round; scalars are
 * told apart when they are written. */
bool tap_shape_fits(enum tap_shape_kind kind, const json_t *value);

/* Appends a scalar's text: true, 10.8, 2015-01-25T08:00:00Z, base64. `format` is of a timestamp.
 * False when the value is not of that kind. */
bool tap_scalar_write(struct tap_buf *out, enum tap_shape_kind kind, const char *format,
                      const json_t *value);
/* The scalar that a text stands for (timestamps in any format); NULL when it stands for none. */
json_t *tap_scalar_read(enum tap_shape_kind kind, const char *text, size_t len);

#endif
