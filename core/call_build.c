/*
 * Building calls. See call_build.h.
 */
#include "call_build.h"

#include <string.h>

#include "bucket.h"
#include "customs.h"
#include "protocol.h"

/* The input as it is sent: with tokens, and with the wish for checksums in the answer. */
static json_t *fill(const struct tap_client *client, const json_t *operation, const json_t *input)
{
    json_t *filled = tap_input_with_tokens(client->model, operation, input);
    const char *mode = tap_checksum_mode_member(operation);
    if (mode && client->checks_answers && !json_object_get(filled, mode))
        json_object_set_new(filled, mode, json_string("ENABLED"));
    return filled;
}

/* Sums that are not demanded, where the client makes them all the same. */
static tap_err add_checksum(struct tap_call_parts *parts, const struct tap_client *client,
                            const json_t *operation, const json_t *input, struct tap_error *err)
{
    struct tap_request *request = &parts->request;
    if (request->stretch)
        return tap_checksum_asked(&parts->stream.asked, request, client->model, operation, input,
                                  client->sums_all, err);
    return client->sums_all
               ? tap_checksum_request(request, client->model, operation, input, true, err)
               : TAP_OK;
}

tap_err tap_call_build(struct tap_call_parts *parts, const struct tap_client *client,
                       const json_t *operation, const json_t *input,
                       const struct tap_streams *streams, struct tap_error *err)
{
    const struct tap_model *model = client->model;
    struct tap_request *request = &parts->request;
    *parts = (struct tap_call_parts){0};
    tap_request_init(request);
    json_t *filled = fill(client, operation, input);
    parts->names_encoded = tap_customs_asks(filled, model, operation);
    tap_err code = tap_customs_input(filled, model, operation, err);
    if (code == TAP_OK)
        code =
            tap_call_stream_open(&parts->stream, request, filled, streams, model, operation, err);
    if (code == TAP_OK)
        code = tap_validate_input(model, operation, filled, err);
    if (code == TAP_OK)
        code = client->protocol->build_request(request, model, operation, filled, err);
    if (code == TAP_OK)
        code = add_checksum(parts, client, operation, filled, err);
    if (code == TAP_OK)
        code = tap_bucket_endpoint(&parts->endpoint, client, operation, filled, err);
    if (code == TAP_OK)
        code = tap_endpoint_apply(&parts->endpoint, request, operation, filled, err);
    json_decref(filled);
    return code;
}

void tap_call_parts_fini(struct tap_call_parts *parts)
{
    tap_request_fini(&parts->request);
    tap_endpoint_fini(&parts->endpoint);
    tap_call_stream_fini(&parts->stream);
}

/* ---- signing ---- */

bool tap_call_is_anonymous(const struct tap_client *client, const json_t *operation)
{
    if (client->anonymous)
        return true;
    const char *type = json_string_value(json_object_get(operation, "authtype"));
    const char *first = json_string_value(json_array_get(json_object_get(operation, "auth"), 0));
    return (type && strcmp(type, "none") == 0) ||
           (first && strcmp(first, "smithy.api#noAuth") == 0);
}

static bool is_s3(const struct tap_client *client)
{
    const char *version =
        json_string_value(json_object_get(tap_model_metadata(client->model), "signatureVersion"));
    return version && strncmp(version, "s3", 2) == 0;
}

bool tap_call_may_be_unsigned(const struct tap_client *client, const struct tap_call_parts *parts)
{
    return is_s3(client) && strcmp(parts->request.scheme, "https") == 0 &&
           parts->stream.asked.algorithm;
}

struct tap_signing tap_call_signing_of(const struct tap_client *client,
                                       const struct tap_call_parts *parts, int64_t skew_ms)
{
    return (struct tap_signing){
        .credentials =
            client->provider ? tap_provider_current(client->provider) : &client->credentials,
        .region = parts->endpoint.signing_region,
        .service = parts->endpoint.signing_name,
        .time = (tap_loop_wall(client->loop) + skew_ms) / 1000,
        .form = TAP_SIGN_HEADERS,
        .double_encode_path = parts->endpoint.encode_path_twice,
        .normalize_path = !is_s3(client),
        .sign_body_header = is_s3(client) && !parts->request.stretch,
    };
}
