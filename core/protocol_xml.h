/*
 * Values in XML, by shape: what the query, ec2 and rest-xml protocols have in common. Private to
 * the protocols.
 */
#ifndef TAP_PROTOCOL_XML_H
#define TAP_PROTOCOL_XML_H

#include "protocol_shape.h"
#include "xml.h"

/* What the element says by the shape of `ref`; the caller owns *value. It is NULL when an empty
 * element stands for no value. Elements that the model does not know are skipped; a text that does
 * not fit its type is TAP_E_PROTOCOL, because a script would act on it. */
tap_err tap_xml_read_value(json_t **value, const struct tap_model *model, const json_t *ref,
                           const struct tap_xml *xml, struct tap_error *err);

/* Appends <name>...</name>, with the namespaces and attributes that the model asks for. A value
 * that does not fit its shape is TAP_E_USAGE. */
tap_err tap_xml_write_value(struct tap_buf *out, const struct tap_model *model, const char *name,
                            const json_t *ref, const json_t *value, struct tap_error *err);

/* The same for a structure's members alone, without an element around them. */
tap_err tap_xml_write_members(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                              const json_t *value, struct tap_error *err);
/* Appends <name>text</name>. */
void tap_xml_write_text(struct tap_buf *out, const char *name, const char *text);

#endif
