/*
 * Rule sets: parameters are checked and become variables, then the tree is walked. The first rule
 * whose conditions all hold decides; there is no way back out of a tree rule that was entered.
 */
#include "rules.h"

#include <string.h>
#include <strings.h>

#include "mem.h"
#include "rules_expression.h"

/* ---- parameters ---- */

static bool has_type(const json_t *value, const char *type)
{
    if (strcasecmp(type, "string") == 0)
        return json_is_string(value);
    if (strcasecmp(type, "boolean") == 0)
        return json_is_boolean(value);
    return strcasecmp(type, "stringArray") == 0 && json_is_array(value);
}

static tap_err bind_parameter(struct tap_rules_evaluation *evaluation, const char *name,
                              const json_t *declared, json_t *value)
{
    const char *type = json_string_value(json_object_get(declared, "type"));
    if (!value || json_is_null(value))
        value = json_object_get(declared, "default");
    if (value && type && !has_type(value, type))
        return tap_fail(evaluation->err, TAP_E_USAGE, "InvalidEndpointParameter",
                        "the endpoint parameter %s must be a %s", name, type);
    if (!value && json_is_true(json_object_get(declared, "required")))
        return tap_fail(evaluation->err, TAP_E_USAGE, "InvalidEndpointParameter",
                        "the endpoint parameter %s is missing", name);
    tap_rules_bind(evaluation, name, json_incref(value));
    return TAP_OK;
}

static tap_err bind_parameters(struct tap_rules_evaluation *evaluation, const json_t *rule_set,
                               const json_t *parameters)
{
    const char *name;
    json_t *declared;
    json_object_foreach(json_object_get(rule_set, "parameters"), name, declared)
    {
        tap_err code =
            bind_parameter(evaluation, name, declared, json_object_get(parameters, name));
        if (code)
            return code;
    }
    return TAP_OK;
}

/* ---- rules ---- */

static tap_err holds(bool *out, struct tap_rules_evaluation *evaluation, const json_t *condition)
{
    json_t *value;
    tap_err code = tap_rules_evaluate(&value, evaluation, condition);
    *out = value && !json_is_false(value);
    const char *name = json_string_value(json_object_get(condition, "assign"));
    if (*out && name)
        tap_rules_bind(evaluation, name, value);
    else
        json_decref(value);
    return code;
}

/* The results that conditions name stay bound, also when a later condition does not hold. */
static tap_err all_hold(bool *out, struct tap_rules_evaluation *evaluation,
                        const json_t *conditions)
{
    *out = true;
    size_t i;
    const json_t *condition;
    json_array_foreach(conditions, i, condition)
    {
        tap_err code = holds(out, evaluation, condition);
        if (code || !*out)
            return code;
    }
    return TAP_OK;
}

static tap_err no_text(struct tap_rules_evaluation *evaluation, const char *of)
{
    return tap_fail(evaluation->err, TAP_E_PROTOCOL, "BrokenRules",
                    "the service's endpoint rules are broken: %s is not a text", of);
}

static tap_err take_endpoint(struct tap_rules_endpoint *out,
                             struct tap_rules_evaluation *evaluation, const json_t *endpoint)
{
    json_t *url;
    tap_err code = tap_rules_evaluate(&url, evaluation, json_object_get(endpoint, "url"));
    if (code == TAP_OK && !json_is_string(url))
        code = no_text(evaluation, "an endpoint's url");
    if (code == TAP_OK)
        out->url = tap_strdup(json_string_value(url));
    json_decref(url);
    json_t *properties = json_object_get(endpoint, "properties");
    if (code == TAP_OK && properties)
        code = tap_rules_fill(&out->properties, evaluation, properties);
    json_t *headers = json_object_get(endpoint, "headers");
    if (code == TAP_OK && headers)
        code = tap_rules_fill(&out->headers, evaluation, headers);
    return code;
}

static tap_err take_error(struct tap_rules_evaluation *evaluation, const json_t *message)
{
    json_t *text;
    tap_err code = tap_rules_evaluate(&text, evaluation, message);
    if (code == TAP_OK && !json_is_string(text))
        code = no_text(evaluation, "an error");
    if (code == TAP_OK)
        code = tap_fail(evaluation->err, TAP_E_USAGE, "NoEndpoint", "%s", json_string_value(text));
    json_decref(text);
    return code;
}

static tap_err walk(struct tap_rules_endpoint *out, struct tap_rules_evaluation *evaluation,
                    const json_t *rules);

static tap_err take(struct tap_rules_endpoint *out, struct tap_rules_evaluation *evaluation,
                    const json_t *rule)
{
    const json_t *endpoint = json_object_get(rule, "endpoint");
    const json_t *error = json_object_get(rule, "error");
    if (endpoint)
        return take_endpoint(out, evaluation, endpoint);
    if (error)
        return take_error(evaluation, error);
    return walk(out, evaluation, json_object_get(rule, "rules"));
}

static tap_err walk(struct tap_rules_endpoint *out, struct tap_rules_evaluation *evaluation,
                    const json_t *rules)
{
    size_t bound = evaluation->n;
    size_t i;
    const json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        bool match = false;
        tap_err code = tap_rules_enter(evaluation);
        if (code)
            return code;
        code = all_hold(&match, evaluation, json_object_get(rule, "conditions"));
        if (code == TAP_OK && match)
            code = take(out, evaluation, rule);
        tap_rules_leave(evaluation);
        tap_rules_unbind(evaluation, bound);
        if (code || match)
            return code;
    }
    return tap_fail(evaluation->err, TAP_E_PROTOCOL, "NoRuleMatches",
                    "the service's endpoint rules have no answer for these parameters");
}

tap_err tap_rules_resolve(struct tap_rules_endpoint *out, const json_t *rule_set,
                          const json_t *parameters, struct tap_error *err)
{
    memset(out, 0, sizeof *out);
    struct tap_rules_evaluation evaluation = {.err = err};
    tap_err code = bind_parameters(&evaluation, rule_set, parameters);
    if (code == TAP_OK)
        code = walk(out, &evaluation, json_object_get(rule_set, "rules"));
    if (code)
        tap_rules_endpoint_fini(out);
    tap_rules_unbind(&evaluation, 0);
    tap_free(evaluation.variables);
    if (code)
        return code;
    if (!out->properties)
        out->properties = json_object();
    if (!out->headers)
        out->headers = json_object();
    return TAP_OK;
}

void tap_rules_endpoint_fini(struct tap_rules_endpoint *endpoint)
{
    tap_free(endpoint->url);
    json_decref(endpoint->properties);
    json_decref(endpoint->headers);
    memset(endpoint, 0, sizeof *endpoint);
}
