/*
 * Expressions of endpoint rules: literals, templates, references, calls. A value is a reference to
 * a JSON value; what is unset is NULL, and only `isSet` and a condition may look at that: anywhere
 * else it means that the rule set is broken, as the specification's types forbid it.
 */
#include "rules_expression.h"

#include <string.h>

#include "buf.h"
#include "mem.h"
#include "rules.h"
#include "rules_functions.h"

static tap_err broken(struct tap_rules_evaluation *evaluation, const char *what, const char *name)
{
    return tap_fail(evaluation->err, TAP_E_PROTOCOL, "BrokenRules",
                    "the service's endpoint rules are broken: %s (%.100s)", what, name);
}

/* ---- variables ---- */

void tap_rules_bind(struct tap_rules_evaluation *evaluation, const char *name, json_t *value)
{
    evaluation->variables = tap_grow(evaluation->variables, evaluation->n, &evaluation->cap,
                                     sizeof *evaluation->variables);
    evaluation->variables[evaluation->n++] = (struct tap_rules_variable){name, value};
}

void tap_rules_unbind(struct tap_rules_evaluation *evaluation, size_t n)
{
    while (evaluation->n > n)
        json_decref(evaluation->variables[--evaluation->n].value);
}

/* *out is borrowed. */
static tap_err look_up(json_t **out, struct tap_rules_evaluation *evaluation, const char *name,
                       size_t n)
{
    for (size_t i = evaluation->n; i-- > 0;) {
        const struct tap_rules_variable *variable = &evaluation->variables[i];
        if (strncmp(variable->name, name, n) == 0 && !variable->name[n]) {
            *out = variable->value;
            return TAP_OK;
        }
    }
    *out = NULL;
    return broken(evaluation, "nothing has this name", name);
}

tap_err tap_rules_enter(struct tap_rules_evaluation *evaluation)
{
    if (evaluation->depth >= TAP_RULES_MAX_DEPTH || evaluation->steps >= TAP_RULES_MAX_STEPS)
        return tap_fail(evaluation->err, TAP_E_LIMIT, "RulesTooLarge",
                        "the service's endpoint rules are nested deeper than %d levels or need "
                        "more than %d steps",
                        TAP_RULES_MAX_DEPTH, TAP_RULES_MAX_STEPS);
    evaluation->depth++;
    evaluation->steps++;
    return TAP_OK;
}

void tap_rules_leave(struct tap_rules_evaluation *evaluation)
{
    evaluation->depth--;
}

/* ---- templates ---- */

/* "NAME" or "NAME#path": n bytes of what stood in braces. */
static tap_err put_place(struct tap_buf *out, struct tap_rules_evaluation *evaluation,
                         const char *place, size_t n)
{
    const char *hash = memchr(place, '#', n);
    json_t *value;
    tap_err code = look_up(&value, evaluation, place, hash ? (size_t)(hash - place) : n);
    if (code)
        return code;
    if (hash)
        value = tap_rules_attribute(value, hash + 1, (size_t)(place + n - hash) - 1);
    if (!json_is_string(value))
        return broken(evaluation, "a template needs a text here", place);
    tap_buf_add(out, json_string_value(value), json_string_length(value));
    return TAP_OK;
}

static tap_err put_template(struct tap_buf *out, struct tap_rules_evaluation *evaluation,
                            const char *template)
{
    const char *at = template;
    for (;;) {
        size_t literal = strcspn(at, "{}");
        tap_buf_add(out, at, literal);
        at += literal;
        if (!*at)
            return TAP_OK;
        if (at[0] == at[1]) { /* "{{" and "}}" stand for one brace */
            tap_buf_putc(out, *at);
            at += 2;
            continue;
        }
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (!end)
            return broken(evaluation, "a brace of a template has no partner", template);
        tap_err code = put_place(out, evaluation, at + 1, (size_t)(end - at) - 1);
        if (code)
            return code;
        at = end + 1;
    }
}

static tap_err fill_template(json_t **out, struct tap_rules_evaluation *evaluation,
                             const json_t *template)
{
    const char *text = json_string_value(template);
    if (!strpbrk(text, "{}")) {
        *out = json_incref((json_t *)template);
        return TAP_OK;
    }
    struct tap_buf filled;
    tap_buf_init(&filled, TAP_RULES_MAX_TEXT);
    tap_err code = put_template(&filled, evaluation, text);
    if (code == TAP_OK && filled.overflow)
        code = tap_fail(evaluation->err, TAP_E_LIMIT, "RulesTooLarge",
                        "a text of the service's endpoint rules is longer than %d bytes",
                        TAP_RULES_MAX_TEXT);
    *out = code ? NULL : json_string(tap_buf_text(&filled));
    tap_buf_fini(&filled);
    return code;
}

/* ---- calls ---- */

static bool fits(char kind, const json_t *argument)
{
    switch (kind) {
    case 's': return json_is_string(argument);
    case 'b': return json_is_boolean(argument);
    case 'i': return json_is_integer(argument);
    case 'v': return argument != NULL;
    default: return true;
    }
}

static tap_err evaluate_arguments(json_t **arguments, struct tap_rules_evaluation *evaluation,
                                  const struct tap_rules_function *function, const json_t *argv)
{
    size_t n = strlen(function->arguments);
    if (json_array_size(argv) != n)
        return broken(evaluation, "a call with the wrong number of arguments", function->name);
    for (size_t i = 0; i < n; i++) {
        tap_err code = tap_rules_evaluate(&arguments[i], evaluation, json_array_get(argv, i));
        if (code)
            return code;
        if (!fits(function->arguments[i], arguments[i]))
            return broken(evaluation, "a call with an argument of the wrong type", function->name);
    }
    return TAP_OK;
}

static tap_err call(json_t **out, struct tap_rules_evaluation *evaluation, const char *name,
                    const json_t *argv)
{
    const struct tap_rules_function *function = tap_rules_function(name);
    if (!function)
        return broken(evaluation, "they call a function that is not known", name);
    json_t *arguments[TAP_RULES_MAX_ARGUMENTS] = {0};
    tap_err code = evaluate_arguments(arguments, evaluation, function, argv);
    if (code == TAP_OK)
        *out = function->call(arguments);
    for (size_t i = 0; i < TAP_RULES_MAX_ARGUMENTS; i++)
        json_decref(arguments[i]);
    return code;
}

/* ---- expressions ---- */

static tap_err evaluate_object(json_t **out, struct tap_rules_evaluation *evaluation,
                               const json_t *expression)
{
    const char *name = json_string_value(json_object_get(expression, "ref"));
    if (name) {
        tap_err code = look_up(out, evaluation, name, strlen(name));
        json_incref(*out);
        return code;
    }
    name = json_string_value(json_object_get(expression, "fn"));
    if (name)
        return call(out, evaluation, name, json_object_get(expression, "argv"));
    return broken(evaluation, "an expression is neither a reference nor a call", "object");
}

tap_err tap_rules_evaluate(json_t **out, struct tap_rules_evaluation *evaluation,
                           const json_t *expression)
{
    *out = NULL;
    tap_err code = tap_rules_enter(evaluation);
    if (code)
        return code;
    if (json_is_string(expression))
        code = fill_template(out, evaluation, expression);
    else if (json_is_object(expression))
        code = evaluate_object(out, evaluation, expression);
    else
        *out = json_incref((json_t *)expression);
    tap_rules_leave(evaluation);
    return code;
}

static tap_err fill_object(json_t *out, struct tap_rules_evaluation *evaluation, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        json_t *filled;
        tap_err code = tap_rules_fill(&filled, evaluation, value);
        if (code)
            return code;
        json_object_set_new_nocheck(out, key, filled);
    }
    return TAP_OK;
}

static tap_err fill_array(json_t *out, struct tap_rules_evaluation *evaluation, const json_t *array)
{
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value)
    {
        json_t *filled;
        tap_err code = tap_rules_fill(&filled, evaluation, value);
        if (code)
            return code;
        json_array_append_new(out, filled);
    }
    return TAP_OK;
}

/* True for what stands for a value: {"ref": ...} and {"fn": ...}. */
static bool is_expression(const json_t *object)
{
    return json_object_get(object, "ref") || json_object_get(object, "fn");
}

tap_err tap_rules_fill(json_t **out, struct tap_rules_evaluation *evaluation, json_t *value)
{
    bool is_object = json_is_object(value) && !is_expression(value);
    if (!is_object && !json_is_array(value)) {
        tap_err code = tap_rules_evaluate(out, evaluation, value);
        if (code == TAP_OK && !*out)
            code = broken(evaluation, "a property is unset", "endpoint");
        return code;
    }
    *out = NULL;
    tap_err code = tap_rules_enter(evaluation);
    if (code)
        return code;
    json_t *filled = is_object ? json_object() : json_array();
    code =
        is_object ? fill_object(filled, evaluation, value) : fill_array(filled, evaluation, value);
    tap_rules_leave(evaluation);
    if (code == TAP_OK)
        *out = filled;
    else
        json_decref(filled);
    return code;
}
