/*
 * Expressions of endpoint rules, and the evaluation that they are a part of. Not for users of the
 * library.
 */
#ifndef TAP_RULES_EXPRESSION_H
#define TAP_RULES_EXPRESSION_H

#include <jansson.h>
#include <stddef.h>

#include "error.h"

/* A parameter, or the named result of a condition. */
struct tap_rules_variable {
    const char *name;
    json_t *value; /* owned; NULL: declared and unset */
};

/* One evaluation of a rule set. */
struct tap_rules_evaluation {
    struct tap_rules_variable *variables; /* the newest last */
    size_t n, cap;
    unsigned depth, steps;
    struct tap_error *err; /* of the first failure */
};

/* Gives a name to a value, which it takes. */
void tap_rules_bind(struct tap_rules_evaluation *evaluation, const char *name, json_t *value);
/* Forgets all variables but the first n. */
void tap_rules_unbind(struct tap_rules_evaluation *evaluation, size_t n);

/* Counts a step one level deeper; TAP_E_LIMIT when that is too many or too deep. A level that was
 * entered is left again. */
tap_err tap_rules_enter(struct tap_rules_evaluation *evaluation);
void tap_rules_leave(struct tap_rules_evaluation *evaluation);

/* A literal, a template text, {"ref": NAME} or a call {"fn": NAME, "argv": [...]}. *out is a new
 * reference, NULL when the value is unset. */
tap_err tap_rules_evaluate(json_t **out, struct tap_rules_evaluation *evaluation,
                           const json_t *expression);
/* Lists and objects with an expression in each place: what endpoints have as properties and
 * headers. Parts without a template are the rule set's own. */
tap_err tap_rules_fill(json_t **out, struct tap_rules_evaluation *evaluation, json_t *value);

#endif
