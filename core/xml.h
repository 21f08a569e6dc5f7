/*
 * XML by expat, into a small element tree that the protocols read by the service's model. No DTDs,
 * no entities but the five of XML itself.
 */
#ifndef TAP_XML_H
#define TAP_XML_H

#include <stddef.h>

#include "buf.h"
#include "error.h"

struct tap_xml_attribute {
    char *name, *value;
};

struct tap_xml {
    char *name;                           /* without its namespace prefix */
    char *text;                           /* all character data, concatenated; "" when none */
    struct tap_xml_attribute *attributes; /* names keep their prefix ("xsi:type") */
    size_t n_attributes;
    struct tap_xml **children;
    size_t n_children;
};

/* The document element; the caller owns it, and frees all of the tree with it. */
tap_err tap_xml_parse(struct tap_xml **out, const char *text, size_t len, struct tap_error *err);
void tap_xml_free(struct tap_xml *root);
/* First child of that name, or NULL. */
const struct tap_xml *tap_xml_child(const struct tap_xml *xml, const char *name);
/* Text of the first child of that name, or NULL. */
const char *tap_xml_child_text(const struct tap_xml *xml, const char *name);
/* Appends text with & < > " escaped and control characters that XML cannot carry as &#xFFFD;. */
void tap_xml_escape(struct tap_buf *out, const char *text, size_t n);

#endif
