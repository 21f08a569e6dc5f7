/*
 * libyaml's complaints in plain words. Private to yaml.c.
 */
#ifndef TAP_YAML_ERROR_H
#define TAP_YAML_ERROR_H

#include <stddef.h>
#include <yaml.h>

#include "error.h"

/* After yaml_parser_parse failed on `text`: fills err with what is wrong, where, and what to do. */
tap_err tap_yaml_explain(const yaml_parser_t *parser, const char *text, size_t len,
                         const char *file, struct tap_error *err);

#endif
