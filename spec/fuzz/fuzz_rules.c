/*
 * Endpoint rules: whatever a rule set says, it ends in an endpoint or in one error, and is left as
 * it was. The input is a JSON list: the rule set, its parameters.
 */
#include <assert.h>
#include <stdint.h>

#include "core/json.h"
#include "core/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *input;
    if (tap_json_parse(&input, (const char *)data, size, NULL, NULL))
        return 0;
    json_t *before = json_deep_copy(input);
    struct tap_rules_endpoint endpoint;
    struct tap_error err;
    if (tap_rules_resolve(&endpoint, json_array_get(input, 0), json_array_get(input, 1), &err))
        assert(err.code && !endpoint.url && !endpoint.properties);
    else
        assert(endpoint.url && json_is_object(endpoint.properties) && endpoint.headers);
    assert(json_equal(input, before));
    tap_rules_endpoint_fini(&endpoint);
    json_decref(before);
    json_decref(input);
    return 0;
}
