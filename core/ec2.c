/*
 * The ec2 protocol, which only EC2 speaks: query's form with names of its own, and XML without the
 * result's element.
 *
 * Source: Smithy, "AWS EC2 query protocol".
 */
#include <ctype.h>
#include <string.h>

#include "mem.h"
#include "protocol_answer.h"
#include "protocol_xml.h"
#include "query.h"

/* The model's queryName; else the response's name, which begins with a small letter, with a capital
 * one. */
static void add_name(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                     const char *member)
{
    const char *own = json_string_value(json_object_get(ref, "queryName"));
    const char *name = own ? own : tap_wire_own_name(ref, member);
    (void)model;
    tap_buf_putc(out, own ? *name : (char)toupper((unsigned char)*name));
    tap_buf_puts(out, name + 1);
}

static const struct tap_query_dialect dialect = {.add_name = add_name, .flat_lists = true};

static tap_err build_request(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    return tap_query_build_form(out, &dialect, model, operation, input, err);
}

static tap_err read_request(const json_t **operation, json_t **input, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err)
{
    return tap_query_read_form(operation, input, &dialect, model, request, err);
}

/* The members stand in the document's element, after the request's id. */
static void write_response(struct tap_response *out, const struct tap_model *model,
                           const json_t *operation, const json_t *output, const char *request_id)
{
    const json_t *ref = json_object_get(operation, "output");
    char *name = tap_sprintf("%sResponse", json_string_value(json_object_get(operation, "name")));
    tap_query_begin_answer(out, model, 200, request_id, name);
    tap_xml_write_text(&out->body, "requestId", request_id);
    if (ref)
        tap_xml_write_members(&out->body, model, ref, output, NULL);
    tap_buf_printf(&out->body, "</%s>", name);
    tap_free(name);
}

static void write_error(struct tap_response *out, const struct tap_model *model,
                        const struct tap_error *error, const char *request_id)
{
    (void)model;
    out->status = error->http_status ? error->http_status : 400;
    tap_headers_set(&out->headers, "Content-Type", "text/xml;charset=UTF-8");
    tap_headers_set(&out->headers, "x-amzn-RequestId", request_id);
    tap_buf_reset(&out->body);
    tap_buf_puts(&out->body, "<Response><Errors><Error>");
    tap_xml_write_text(&out->body, "Code", error->name);
    tap_xml_write_text(&out->body, "Message", error->message);
    tap_buf_puts(&out->body, "</Error></Errors>");
    tap_xml_write_text(&out->body, "RequestID", request_id);
    tap_buf_puts(&out->body, "</Response>");
}

const struct tap_protocol tap_protocol_ec2 = {
    .name = "ec2",
    .body_alone = true,
    .build_request = build_request,
    .parse_response = tap_query_parse_response,
    .parse_error = tap_answer_parse_xml_error,
    .read_request = read_request,
    .write_response = write_response,
    .write_error = write_error,
};
