/*
 * Requests of any protocol. See protocol_request.h.
 */
#include "protocol_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "json.h"
#include "protocol.h"
#include "protocol_checksum.h"
#include "protocol_gzip.h"
#include "protocol_shape.h"

json_t *tap_input_with_tokens(const struct tap_model *model, const json_t *operation,
                              const json_t *input)
{
    json_t *filled = input ? json_copy((json_t *)input) : json_object();
    const json_t *ref = json_object_get(operation, "input");
    const json_t *members = json_object_get(ref ? tap_ref_shape(model, ref) : NULL, "members");
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *given = json_object_get(filled, member);
        char token[TAP_UUID_SIZE];
        if (!tap_ref_flag(json_object_iter_value(at), "idempotencyToken") ||
            (given && !json_is_null(given)))
            continue;
        tap_uuid(token);
        json_object_set_new(filled, member, json_string(token));
    }
    return filled;
}

static bool has_event_stream(const struct tap_model *model, const json_t *ref)
{
    const json_t *members = json_object_get(ref ? tap_ref_shape(model, ref) : NULL, "members");
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at))
        if (tap_ref_flag(tap_ref_shape(model, json_object_iter_value(at)), "eventstream"))
            return true;
    return false;
}

tap_err tap_refuse_event_stream(const struct tap_model *model, const json_t *operation,
                                struct tap_error *err)
{
    if (!has_event_stream(model, json_object_get(operation, "input")) &&
        !has_event_stream(model, json_object_get(operation, "output")))
        return TAP_OK;
    return tap_fail(err, TAP_E_UNSUPPORTED, "EventStream",
                    "%s of %s is a stream of events, which is not supported",
                    json_string_value(json_object_get(operation, "name")),
                    tap_model_service(model));
}

tap_err tap_finish_request(struct tap_request *request, const struct tap_model *model,
                           const json_t *operation, const json_t *input, struct tap_error *err)
{
    if (request->body.overflow)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the request is larger than %d bytes",
                        TAP_MAX_BODY);
    tap_compress_request(request, operation);
    return tap_checksum_request(request, model, operation, input, false, err);
}

bool tap_find_operation(const json_t **operation, const struct tap_model *model, const char *name)
{
    return tap_model_operation(operation, model, name, NULL) == TAP_OK &&
           strcmp(json_string_value(json_object_get(*operation, "name")), name) == 0;
}

tap_err tap_refuse_request(struct tap_error *err, int status, const char *name, const char *format,
                           ...)
{
    char message[sizeof err->message];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    tap_fail(err, TAP_E_SERVICE, name, "%s", message);
    if (err)
        err->http_status = status;
    return TAP_E_SERVICE;
}

tap_err tap_read_input(json_t **input, const struct tap_model *model, const json_t *operation,
                       const struct tap_request *request, tap_body_reader *read,
                       struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "input");
    struct tap_error why = {.message = "the request's body is not valid gzip"};
    struct tap_buf plain;
    tap_err code = TAP_OK;
    *input = NULL;
    tap_buf_init(&plain, TAP_MAX_DOCUMENT);
    const struct tap_buf *body = tap_plain_body(&plain, request);
    if (!body || (ref && read(input, model, ref, body, &why)))
        code = tap_refuse_request(err, 400, "SerializationException", "%s", why.message);
    else if (!*input)
        *input = json_object();
    tap_buf_fini_secret(&plain);
    return code;
}
