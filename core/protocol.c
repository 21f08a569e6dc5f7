/*
 * Which protocol a service is spoken to in. The table is in botocore's order of preference: of the
 * protocols that a service offers, the first one is used. Adding a protocol is one line here and a
 * file of its own.
 */
#include "protocol.h"

#include <string.h>
#include <strings.h>

#include "protocol_shape.h"
#include "url.h"

static const struct tap_protocol *const protocols[] = {
    &tap_protocol_rpc_v2_cbor, &tap_protocol_json,  &tap_protocol_rest_json,
    &tap_protocol_rest_xml,    &tap_protocol_query, &tap_protocol_ec2,
};

static bool offers(const struct tap_model *model, const char *name)
{
    const json_t *metadata = tap_model_metadata(model);
    const json_t *list = json_object_get(metadata, "protocols");
    const char *only = json_string_value(json_object_get(metadata, "protocol"));
    size_t i;
    const json_t *offered;
    if (!json_array_size(list))
        return only && strcmp(only, name) == 0;
    json_array_foreach(list, i,
                       offered) if (json_is_string(offered) &&
                                    strcmp(json_string_value(offered), name) == 0) return true;
    return false;
}

tap_err tap_protocol_of(const struct tap_protocol **out, const struct tap_model *model,
                        struct tap_error *err)
{
    for (size_t i = 0; i < sizeof protocols / sizeof(struct tap_protocol *); i++) {
        *out = protocols[i];
        if (offers(model, protocols[i]->name))
            return TAP_OK;
    }
    *out = NULL;
    return tap_fail(err, TAP_E_UNSUPPORTED, "UnsupportedProtocol",
                    "the model of %s names no protocol that is known", tap_model_service(model));
}

static bool is_form(const struct tap_request *request)
{
    const char *type = tap_headers_get(&request->headers, "Content-Type");
    return type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

tap_err tap_protocol_of_request(const struct tap_protocol **out, const struct tap_model *model,
                                const struct tap_request *request, struct tap_error *err)
{
    if (tap_protocol_of(out, model, err))
        return err->code;
    if (*out == &tap_protocol_rest_json || *out == &tap_protocol_rest_xml ||
        *out == &tap_protocol_ec2)
        return TAP_OK;
    if (tap_headers_get(&request->headers, "Smithy-Protocol"))
        *out = &tap_protocol_rpc_v2_cbor;
    else if (tap_headers_get(&request->headers, "X-Amz-Target"))
        *out = &tap_protocol_json;
    else if (is_form(request))
        *out = &tap_protocol_query;
    return TAP_OK;
}

const char *tap_response_request_id(const struct tap_response *response)
{
    static const char *const names[] = {"x-amzn-RequestId", "x-amz-request-id",
                                        "x-amzn-request-id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = tap_headers_get(&response->headers, names[i]);
        if (value)
            return value;
    }
    return "";
}

tap_err tap_host_prefix(struct tap_buf *out, const json_t *operation, const json_t *input,
                        struct tap_error *err)
{
    const json_t *endpoint = json_object_get(operation, "endpoint");
    const char *at = json_string_value(json_object_get(endpoint, "hostPrefix"));
    while (at && *at) {
        size_t literal = strcspn(at, "{");
        tap_buf_add(out, at, literal);
        at += literal;
        if (!*at)
            break;
        size_t n = strcspn(at, "}");
        char member[128];
        tap_error_copy(member, n < sizeof member ? n : sizeof member, at + 1);
        const json_t *label = json_object_get(input, member);
        if (!json_is_string(label) ||
            !tap_is_host_label(json_string_value(label), json_string_length(label)))
            return tap_fail(err, TAP_E_USAGE, "InvalidInput",
                            "%s: must be letters, digits and '-', because it becomes a part of the "
                            "host's name",
                            member);
        tap_buf_puts(out, json_string_value(label));
        at += at[n] ? n + 1 : n;
    }
    return TAP_OK;
}
