/*
 * The parameters of endpoint rules, in rising order of weight: built-ins of the SDKs (the region,
 * the configured address, environment variables), the service's own settings of the client, then
 * what the operation's model takes from the input or says by itself.
 *
 * Source: Smithy, "Rules engine specification: context traits"; AWS SDKs and Tools Reference Guide
 * for the variables.
 */
#include "endpoint_parameters.h"

#include <string.h>
#include <strings.h>

#include "jmespath.h"
#include "mem.h"
#include "text.h"

/* Built-ins that a variable or a profile's key sets: to whether it is `word`, or to its text where
 * that is NULL. */
static const struct variable {
    const char *builtin;
    const char *name;
    const char *key; /* NULL: none */
    const char *word;
    bool chooses_address; /* among AWS's: means nothing when an address is given */
} variables[] = {
    {"AWS::UseFIPS", "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", "true", true},
    {"AWS::UseDualStack", "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", "true", true},
    {"AWS::STS::UseGlobalEndpoint", "AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints",
     "legacy", true},
    {"AWS::S3::UseGlobalEndpoint", "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", NULL, "legacy", true},
    {"AWS::S3::UseArnRegion", "AWS_S3_USE_ARN_REGION", "s3_use_arn_region", "true", false},
    {"AWS::S3::DisableMultiRegionAccessPoints", "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
     "s3_disable_multiregion_access_points", "true", false},
    {"AWS::Auth::AccountIdEndpointMode", "AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode",
     NULL, true},
};

/* ---- of a client ---- */

/* A new reference; NULL: unset, the rules' own default holds. */
static json_t *variable_value(const char *builtin, const char *url,
                              const struct tap_profile *profile)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const struct variable *variable = &variables[i];
        if (strcmp(variable->builtin, builtin) != 0)
            continue;
        const char *value = tap_profile_setting(profile, variable->name, variable->key);
        if (!value || (url && variable->chooses_address))
            return NULL;
        return variable->word ? json_boolean(strcasecmp(value, variable->word) == 0)
                              : json_string(value);
    }
    return NULL;
}

static json_t *builtin_value(const char *builtin, const char *region, const char *url,
                             const struct tap_profile *profile)
{
    if (strcmp(builtin, "AWS::Region") == 0)
        return json_string(region);
    if (strcmp(builtin, "SDK::Endpoint") == 0)
        return url ? json_string(url) : NULL;
    /* few addresses of one's own have a name for each bucket */
    if (strcmp(builtin, "AWS::S3::ForcePathStyle") == 0)
        return url ? json_true() : NULL;
    return variable_value(builtin, url, profile);
}

static json_t *builtin_parameters(const struct tap_model *model, const char *region,
                                  const char *url, const struct tap_profile *profile)
{
    json_t *parameters = json_object();
    const char *name;
    json_t *declared;
    json_object_foreach(json_object_get(tap_model_part(model, "endpoint-rules"), "parameters"),
                        name, declared)
    {
        const char *builtin = json_string_value(json_object_get(declared, "builtIn"));
        json_t *value = builtin ? builtin_value(builtin, region, url, profile) : NULL;
        if (value)
            json_object_set_new(parameters, name, value);
    }
    /* Requests are signed with the caller's keys, which S3 Express takes too; the sessions that it
     * prefers are not built. */
    json_object_set_new(parameters, "DisableS3ExpressSessionAuth", json_true());
    return parameters;
}

static tap_err unknown_setting(const struct tap_model *model, const char *name,
                               struct tap_error *err)
{
    json_t *known = (json_t *)tap_model_part(model, "client-context-params");
    const char **names = tap_calloc(json_object_size(known), sizeof *names);
    size_t n = 0;
    const char *key;
    json_t *declared;
    json_object_foreach(known, key, declared) names[n++] = key;
    const char *nearest = tap_nearest(name, names, n);
    tap_free(names);
    return tap_fail(err, TAP_E_USAGE, "UnknownSetting",
                    "%s has no setting \"%.100s\" for its endpoints%s%s%s",
                    tap_model_service(model), name, nearest ? "; did you mean \"" : "",
                    nearest ? nearest : "", nearest ? "\"?" : "");
}

tap_err tap_endpoint_client_parameters(json_t **out, const struct tap_model *model,
                                       const char *region, const char *url, const json_t *context,
                                       const struct tap_profile *profile, struct tap_error *err)
{
    *out = NULL;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)context, name, value)
    {
        if (!json_object_get(tap_model_part(model, "client-context-params"), name))
            return unknown_setting(model, name, err);
    }
    *out = builtin_parameters(model, region, url, profile);
    json_object_update(*out, (json_t *)context);
    return TAP_OK;
}

/* ---- of a call ---- */

static const json_t *input_members(const struct tap_model *model, const json_t *operation)
{
    const char *shape =
        json_string_value(json_object_get(json_object_get(operation, "input"), "shape"));
    return shape ? json_object_get(tap_model_shape(model, shape), "members") : NULL;
}

static const char *context_name(const json_t *member)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(member, "contextParam"), "name"));
    return name ? name : "";
}

const char *tap_endpoint_parameter_of(const struct tap_model *model, const json_t *operation,
                                      const char *member)
{
    return context_name(json_object_get(input_members(model, operation), member));
}

/* Queries over the whole input. One that does not fit what it holds finds nothing. */
static void add_queried(json_t *parameters, const json_t *operation, const json_t *input)
{
    const char *name;
    json_t *param;
    json_object_foreach(json_object_get(operation, "operationContextParams"), name, param)
    {
        const char *path = json_string_value(json_object_get(param, "path"));
        struct tap_jmespath *query;
        json_t *found = NULL;
        if (!path || tap_jmespath_compile(&query, path, NULL))
            continue;
        if (tap_jmespath_search(&found, query, input, NULL) == TAP_OK && !json_is_null(found))
            json_object_set(parameters, name, found);
        json_decref(found);
        tap_jmespath_free(query);
    }
}

static void add_members(json_t *parameters, const struct tap_model *model, const json_t *operation,
                        const json_t *input)
{
    const char *member;
    json_t *reference;
    json_object_foreach((json_t *)input_members(model, operation), member, reference)
    {
        const char *name = context_name(reference);
        json_t *value = *name ? json_object_get(input, member) : NULL;
        if (value && !json_is_null(value))
            json_object_set(parameters, name, value);
    }
}

static void add_static(json_t *parameters, const json_t *operation)
{
    const char *name;
    json_t *param;
    json_object_foreach(json_object_get(operation, "staticContextParams"), name, param)
        json_object_set(parameters, name, json_object_get(param, "value"));
}

json_t *tap_endpoint_call_parameters(json_t *of_client, const struct tap_model *model,
                                     const json_t *operation, const json_t *input)
{
    json_t *parameters = json_copy(of_client);
    add_queried(parameters, operation, input);
    add_members(parameters, model, operation, input);
    add_static(parameters, operation);
    return parameters;
}
