/*
 * Tags of YAML nodes: CloudFormation's short forms (!Sub is Fn::Sub) and YAML's own (!!str).
 * Private to yaml.c.
 */
#ifndef TAP_YAML_TAG_H
#define TAP_YAML_TAG_H

#include <jansson.h>
#include <stddef.h>

/* "Fn::Sub" for the tag "!Sub"; NULL when there is no such short form. Freed by tap_free. */
char *tap_yaml_function(const char *tag);
/* The short form that was probably meant, without its '!'; NULL when none is near. */
const char *tap_yaml_nearest_short_form(const char *tag);
/* What a text under a short form stands for: itself; "!GetAtt A.B.C" splits at its first dot. */
json_t *tap_yaml_argument(const char *tag, const char *text, size_t n);
/* One of YAML's own tags without its prefix: "str", "int"; "str" for "!" alone; NULL for any
 * other tag. */
const char *tap_yaml_standard_tag(const char *tag);

#endif
