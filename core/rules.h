/*
 * The endpoint rules of a service: parameters in, endpoint out. A rule set is data of the service's
 * model: a tree of rules, each with conditions (calls of a small library of functions, whose
 * results may be named) and an outcome: an endpoint, an error, or more rules.
 *
 * Source: Smithy's "Rules engine specification", with AWS's functions. It is evaluated as it
 * stands, without a form of its own: a resolution takes microseconds, and copies only what a
 * template changes.
 */
#ifndef TAP_RULES_H
#define TAP_RULES_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"

enum {
    TAP_RULES_MAX_DEPTH = 64,    /* of rules in rules, and of calls in calls */
    TAP_RULES_MAX_STEPS = 50000, /* rules and expressions that one resolution may evaluate */
    TAP_RULES_MAX_TEXT = 8192,   /* bytes that one template may become */
};

struct tap_rules_endpoint {
    char *url;
    json_t *properties; /* an object: "authSchemes", ...; parts of it belong to the rule set, so it
                           must not be changed */
    json_t *headers;    /* name -> list of texts */
};

/* Evaluates a rule set. `parameters` (an object; NULL: none) gives values to the parameters that
 * the rule set declares, others in it are ignored; defaults are applied.
 *
 * TAP_E_USAGE: the rules answer with an error ("NoEndpoint", the message is the rule's), or a
 * parameter is missing or of the wrong type ("InvalidEndpointParameter"). TAP_E_PROTOCOL: the rule
 * set is broken ("BrokenRules") or has no answer for these parameters ("NoRuleMatches").
 * TAP_E_LIMIT: one of the limits above. *out is filled when TAP_OK is returned, and otherwise holds
 * nothing. */
tap_err tap_rules_resolve(struct tap_rules_endpoint *out, const json_t *rule_set,
                          const json_t *parameters, struct tap_error *err);
void tap_rules_endpoint_fini(struct tap_rules_endpoint *endpoint);

/* True for a function that rules may call. */
bool tap_rules_is_function(const char *name);

/* What is known of the partition of a region: name, dnsSuffix, dualStackDnsSuffix, supportsFIPS,
 * supportsDualStack, implicitGlobalRegion. A region that none claims counts as one of "aws".
 * Borrowed. */
const json_t *tap_rules_partition(const char *region);

#endif
