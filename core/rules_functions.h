/*
 * The functions that endpoint rules may call. Not for users of the library.
 */
#ifndef TAP_RULES_FUNCTIONS_H
#define TAP_RULES_FUNCTIONS_H

#include <jansson.h>
#include <stddef.h>

enum { TAP_RULES_MAX_ARGUMENTS = 4 };

struct tap_rules_function {
    const char *name;
    /* A letter for each argument: s text, b boolean, i integer, v any value, ? any or unset. The
     * caller has checked them, and passes NULL for what is unset. */
    const char *arguments;
    /* A new reference; NULL: the result is unset. */
    json_t *(*call)(json_t *const *arguments);
};

/* NULL when there is none of that name. */
const struct tap_rules_function *tap_rules_function(const char *name);

/* What stands at a path ("a.b[1]", "[0]") of n bytes below a value; borrowed, NULL when there is
 * nothing. */
json_t *tap_rules_attribute(json_t *value, const char *path, size_t n);

#endif
