/*
 * Presigning is a call that is prepared and then signed once more, the other way: what only a sent
 * request has is taken out of it, and what its body says must have a place in the address. See
 * presign.h.
 */
#include "presign.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "mem.h"
#include "op.h"
#include "protocol_checksum.h"
#include "protocol_shape.h"

struct presign_op {
    struct tap_op op;
    const struct tap_model *model;
    const json_t *operation; /* the model's */
    int64_t expires_s;
    bool body_given;      /* the input has the body that is to be sent later */
    bool checksum_chosen; /* the input wants a sum of that body */
    bool mode_chosen;     /* the input says whether the answer tells its sum */
    struct tap_op *call;  /* what prepares the request, or NULL */
    struct tap_request request;
    char *url;
};

/* ---- what the model says ---- */

/* The stream may be sent later, as S3 does not want it signed. NULL when there is none. */
static const char *stream_member(const struct presign_op *presign)
{
    return tap_stream_member(presign->model, presign->operation, "input");
}

static const char *checksum_member(const struct presign_op *presign)
{
    return json_string_value(json_object_get(json_object_get(presign->operation, "httpChecksum"),
                                             "requestAlgorithmMember"));
}

static bool has_member(const json_t *input, const char *member)
{
    const json_t *value = member ? json_object_get(input, member) : NULL;
    return value && !json_is_null(value);
}

/* ---- from the prepared request to the one that is signed ---- */

static const char *operation_name(const struct presign_op *presign)
{
    return json_string_value(json_object_get(presign->operation, "name"));
}

/* What the first signature and the sending of it by ourselves have added. */
static bool is_of_sending(const char *name)
{
    static const char *const names[] = {
        "Host",       "User-Agent",           "amz-sdk-invocation-id", "amz-sdk-request",
        "X-Amz-Date", "X-Amz-Security-Token", "x-amz-content-sha256",  "Authorization",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static void copy_request(struct tap_request *out, const struct tap_request *sent)
{
    tap_set(&out->method, sent->method);
    tap_set(&out->scheme, sent->scheme);
    tap_set(&out->host, sent->host);
    tap_set(&out->target, sent->target);
    for (size_t i = 0; i < sent->headers.n; i++)
        if (!is_of_sending(sent->headers.items[i].name))
            tap_headers_add(&out->headers, sent->headers.items[i].name,
                            sent->headers.items[i].value);
}

/* A form means the same as a query: "Action=GetCallerIdentity&Version=2011-06-15". */
static bool move_form(struct tap_request *out, const struct tap_buf *body)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = tap_headers_get(&out->headers, "Content-Type");
    if (!type || strncasecmp(type, form, sizeof form - 1) != 0)
        return false;
    const char *separator = strchr(out->target, '?') ? "&" : "?";
    char *target = tap_sprintf("%s%s%s", out->target, separator, tap_buf_text(body));
    tap_set(&out->target, target);
    tap_free_secret(target);
    tap_set(&out->method, "GET");
    tap_headers_remove(&out->headers, "Content-Type");
    return true;
}

/* The sum that a client makes by itself is that of an empty body, and another one will be sent. */
static void drop_own_checksum(struct tap_request *request)
{
    static const char chosen[] = "x-amz-sdk-checksum-algorithm";
    const char *algorithm = tap_headers_get(&request->headers, chosen);
    if (!algorithm)
        return;
    char *header = tap_sprintf("x-amz-checksum-%s", algorithm);
    tap_headers_remove(&request->headers, header);
    tap_headers_remove(&request->headers, chosen);
    tap_free(header);
}

/* The body of the prepared request finds its place, or is in the way. */
static tap_err place_body(struct presign_op *presign, const struct tap_buf *body, bool is_s3,
                          struct tap_error *err)
{
    const char *stream = is_s3 ? stream_member(presign) : NULL;
    if (stream && presign->body_given)
        return tap_fail(err, TAP_E_USAGE, "BodyInURL",
                        "%s: whoever has the presigned URL sends it; leave it out", stream);
    if (stream && presign->checksum_chosen)
        return tap_fail(err, TAP_E_USAGE, "BodyInURL",
                        "%s: there is no body yet to make the checksum of; leave it out, or give "
                        "the checksum itself",
                        checksum_member(presign));
    if (stream)
        drop_own_checksum(&presign->request);
    if (!presign->mode_chosen) /* whoever gets the answer may not know what to do with a sum */
        tap_headers_remove(&presign->request.headers, "x-amz-checksum-mode");
    if (!body->len || move_form(&presign->request, body))
        return TAP_OK;
    return tap_fail(err, TAP_E_UNSUPPORTED, "PresignUnsupported",
                    "the request has a body, which does not fit into a presigned URL");
}

static tap_err presign_request(struct presign_op *presign, struct tap_error *err)
{
    const struct tap_request *sent = tap_call_request(presign->call);
    struct tap_request *request = &presign->request;
    if (!tap_headers_get(&sent->headers, "Authorization"))
        return tap_fail(err, TAP_E_UNSUPPORTED, "PresignUnsupported",
                        "the request is sent without a signature: anybody may send it");
    struct tap_signing signing = tap_call_signing(presign->call);
    bool is_s3 = signing.sign_body_header;
    signing.form = TAP_SIGN_QUERY;
    signing.expires = presign->expires_s;
    signing.sign_body_header = false;
    signing.unsigned_payload = is_s3;
    copy_request(request, sent);
    tap_err code = place_body(presign, &sent->body, is_s3, err);
    if (code == TAP_OK)
        code = tap_sigv4_sign(request, &signing, err);
    if (code)
        return code;
    tap_headers_remove(&request->headers, "Host");
    presign->url = tap_sprintf("%s://%s%s", request->scheme, request->host, request->target);
    return TAP_OK;
}

/* ---- the operation ---- */

static void inner_done(struct tap_op *op, struct tap_op *call)
{
    struct presign_op *presign = (struct presign_op *)op;
    struct tap_error error;
    tap_error_clear(&error);
    if (tap_op_error(call))
        error = *tap_op_error(call);
    else
        presign_request(presign, &error);
    presign->call = NULL;
    tap_op_free(call);
    tap_error_copy(error.service, sizeof error.service, tap_model_service(presign->model));
    tap_error_copy(error.operation, sizeof error.operation, operation_name(presign));
    tap_op_finish(op, error.code ? &error : NULL);
}

static void presign_stop(struct tap_op *op)
{
    struct presign_op *presign = (struct presign_op *)op;
    if (presign->call)
        tap_op_cancel(presign->call);
    presign->call = NULL;
}

static void presign_free(struct tap_op *op)
{
    struct presign_op *presign = (struct presign_op *)op;
    tap_request_fini(&presign->request);
    tap_free_secret(presign->url);
    tap_free(presign);
}

static const struct tap_op_class presign_class = {TAP_OP_CALL, presign_stop, presign_free,
                                                  inner_done};

tap_err tap_client_presign(struct tap_op **out, struct tap_client *client, const char *operation,
                           const json_t *input, int64_t expires_s, struct tap_error *err)
{
    struct tap_op *call;
    *out = NULL;
    tap_err code = tap_client_prepare(&call, client, operation, input, err);
    if (code)
        return code;
    struct presign_op *presign = tap_alloc(sizeof *presign);
    tap_op_init(&presign->op, client->loop, &presign_class);
    tap_request_init(&presign->request);
    presign->model = client->model;
    tap_model_operation(&presign->operation, client->model, operation, NULL);
    presign->expires_s = expires_s;
    presign->body_given = has_member(input, stream_member(presign));
    presign->checksum_chosen = has_member(input, checksum_member(presign));
    presign->mode_chosen = has_member(input, tap_checksum_mode_member(presign->operation));
    presign->call = call;
    tap_op_own(&presign->op, call);
    *out = &presign->op;
    return TAP_OK;
}

static const struct presign_op *finished(const struct tap_op *op)
{
    assert(op->class == &presign_class && op->finished && !op->error);
    return (const struct presign_op *)op;
}

const char *tap_presign_url(const struct tap_op *op)
{
    return finished(op)->url;
}

const char *tap_presign_method(const struct tap_op *op)
{
    return finished(op)->request.method;
}

const struct tap_headers *tap_presign_headers(const struct tap_op *op)
{
    return &finished(op)->request.headers;
}
