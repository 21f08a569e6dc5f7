/*
 * YAML 1.1 by libyaml, into the core's value tree, with CloudFormation's short forms: `!Ref X` is
 * {"Ref": "X"},
 * `!GetAtt A.B` is {"Fn::GetAtt": ["A", "B"]}, `!Sub`, `!If`, ... are {"Fn::Sub": ...}, `!Condition
 * X` is
 * {"Condition": "X"}.
 *
 * Scalars: a plain true/yes/on/false/no/off is a boolean and null/~/empty is null, in YAML 1.1's
 * spellings; a plain number becomes one only when printing it gives the same text back (80 is a
 * number; 012, 1_000, 1e3, 2012-10-17 and 0123456789 stay text, as their authors mean them). Quoted
 * scalars are text. Aliases are expanded within a limit; merge keys (<<) are resolved.
 */
#ifndef TAP_YAML_H
#define TAP_YAML_H

#include "doc.h"
#include "error.h"

/* The one document of a text. `file` may be NULL. An unknown !Tag is TAP_E_PARSE with the nearest
 * known one. */
tap_err tap_yaml_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                          struct tap_error *err);
/* A template or parameter file of either kind: JSON when its first character is '{' or '[', else
 * YAML. */
tap_err tap_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                     struct tap_error *err);

#endif
