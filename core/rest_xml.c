/*
 * The rest-xml protocol: S3, CloudFront, Route 53.
 */
#include <string.h>

#include "mem.h"
#include "protocol_answer.h"
#include "protocol_xml.h"
#include "rest.h"

/* Outputs whose one member is the document's element itself. Smithy has a trait for it
 * (s3UnwrappedXmlOutput), botocore's models do not. */
static const struct {
    const char *shape, *member;
} unwrapped[] = {
    {"GetBucketLocationOutput", "LocationConstraint"},
};

static const char *unwrapped_member(const json_t *ref)
{
    const char *shape = json_string_value(json_object_get(ref, "shape"));
    for (size_t i = 0; i < sizeof unwrapped / sizeof *unwrapped; i++)
        if (strcmp(unwrapped[i].shape, shape) == 0)
            return unwrapped[i].member;
    return NULL;
}

/* The document's element. A payload goes by the name of its member, if that is meant: one that only
 * repeats the member's own, and has no namespace (as all of S3's have), is not. Else it is the
 * shape's. */
static const char *root_name(const struct tap_model *model, const json_t *ref, const char *payload)
{
    const json_t *shape = tap_ref_shape(model, ref);
    const char *of_ref = json_string_value(json_object_get(ref, "locationName"));
    const char *of_shape = json_string_value(json_object_get(shape, "locationName"));
    if (payload && of_ref && (strcmp(of_ref, payload) != 0 || json_object_get(ref, "xmlNamespace")))
        return of_ref;
    if (of_shape || (of_ref && !payload))
        return of_shape ? of_shape : of_ref;
    return json_string_value(json_object_get(ref, "shape"));
}

static tap_err write_xml(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                         const char *payload, const json_t *value, struct tap_error *err)
{
    const char *member = payload ? NULL : unwrapped_member(ref);
    if (member)
        return tap_xml_write_members(out, model, ref, value, err);
    return tap_xml_write_value(out, model, root_name(model, ref, payload), ref, value, err);
}

/* S3 answers 200 before it is done, and may then find an error to tell of. */
static tap_err refuse_error(struct tap_error *err, const struct tap_xml *root)
{
    struct tap_error said;
    tap_fail(&said, TAP_E_SERVICE, "Error", "the service answered with an error");
    tap_answer_xml_error(&said, root);
    if (err)
        *err = said;
    return TAP_E_SERVICE;
}

static tap_err read_root(json_t **value, const struct tap_model *model, const json_t *ref,
                         const struct tap_xml *root, struct tap_error *err)
{
    const char *member = unwrapped_member(ref);
    if (strcmp(root->name, "Error") == 0 && tap_xml_child(root, "Code") &&
        strcmp(root_name(model, ref, NULL), "Error") != 0)
        return refuse_error(err, root);
    if (!member || root->n_children || strcmp(root->name, member) != 0)
        return tap_xml_read_value(value, model, ref, root, err);
    *value = json_object();
    if (*root->text)
        json_object_set_new(*value, member, json_string(root->text));
    return TAP_OK;
}

static tap_err read_xml(json_t **value, const struct tap_model *model, const json_t *ref,
                        const struct tap_buf *body, struct tap_error *err)
{
    struct tap_xml *root = NULL;
    const char *text = tap_buf_text(body);
    *value = NULL;
    if (strspn(text, " \t\r\n") == body->len)
        return TAP_OK;
    tap_err code = tap_xml_parse(&root, text, body->len, err);
    if (!code)
        code = read_root(value, model, ref, root, err);
    tap_xml_free(root);
    return code;
}

static const struct tap_rest_format format = {
    .name = "XML",
    .content_type = "application/xml",
    .empty = "",
    .refusal = "MalformedXML",
    .write = write_xml,
    .read = read_xml,
};

static tap_err build_request(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    return tap_rest_build_request(out, &format, model, operation, input, err);
}

static tap_err parse_response(json_t **output, const struct tap_model *model,
                              const json_t *operation, const struct tap_response *response,
                              struct tap_error *err)
{
    return tap_rest_parse_response(output, &format, model, operation, response, err);
}

static tap_err read_request(const json_t **operation, json_t **input, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err)
{
    return tap_rest_read_request(operation, input, &format, model, request, err);
}

static void write_response(struct tap_response *out, const struct tap_model *model,
                           const json_t *operation, const json_t *output, const char *request_id)
{
    tap_rest_write_response(out, &format, model, operation, output, request_id);
}

/* S3 writes its errors without an element around them; its models are told by how they sign. */
static bool has_bare_errors(const struct tap_model *model)
{
    const char *version =
        json_string_value(json_object_get(tap_model_metadata(model), "signatureVersion"));
    return version && strncmp(version, "s3", 2) == 0;
}

static void write_error(struct tap_response *out, const struct tap_model *model,
                        const struct tap_error *error, const char *request_id)
{
    bool bare = has_bare_errors(model);
    out->status = error->http_status ? error->http_status : 400;
    tap_headers_set(&out->headers, "Content-Type", format.content_type);
    tap_headers_set(&out->headers, bare ? "x-amz-request-id" : "x-amzn-RequestId", request_id);
    tap_buf_reset(&out->body);
    tap_buf_puts(&out->body, bare ? "<Error>" : "<ErrorResponse><Error>");
    if (!bare)
        tap_xml_write_text(&out->body, "Type", out->status < 500 ? "Sender" : "Receiver");
    tap_xml_write_text(&out->body, "Code", error->name);
    tap_xml_write_text(&out->body, "Message", error->message);
    tap_buf_puts(&out->body, bare ? "" : "</Error>");
    tap_xml_write_text(&out->body, "RequestId", request_id);
    tap_buf_puts(&out->body, bare ? "</Error>" : "</ErrorResponse>");
}

const struct tap_protocol tap_protocol_rest_xml = {
    .name = "rest-xml",
    .build_request = build_request,
    .parse_response = parse_response,
    .parse_error = tap_answer_parse_xml_error,
    .read_request = read_request,
    .write_response = write_response,
    .write_error = write_error,
};
