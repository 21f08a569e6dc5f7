/*
 * The value that a YAML scalar stands for. Private to yaml.c.
 */
#ifndef TAP_YAML_SCALAR_H
#define TAP_YAML_SCALAR_H

#include <jansson.h>
#include <stdbool.h>

/* A plain scalar without a tag: see yaml.h for the rules. */
json_t *tap_yaml_plain(const char *text, size_t n);
/* A scalar under one of YAML's own tags ("int", "float", "bool", "null", "str"); NULL when the text
 * does not fit it. */
json_t *tap_yaml_tagged(const char *tag, const char *text, size_t n);

#endif
