/*
 * Writing a query answer, for the sandbox: the output becomes XML as AWS writes it.
 */
#include <string.h>

#include "mem.h"
#include "protocol_xml.h"
#include "query.h"

void tap_query_begin_answer(struct tap_response *out, const struct tap_model *model, int status,
                            const char *request_id, const char *name)
{
    const char *xmlns =
        json_string_value(json_object_get(tap_model_metadata(model), "xmlNamespace"));
    out->status = status;
    tap_headers_set(&out->headers, "Content-Type", "text/xml");
    tap_headers_set(&out->headers, "x-amzn-RequestId", request_id);
    tap_buf_reset(&out->body);
    tap_buf_printf(&out->body, "<%s", name);
    if (xmlns) {
        tap_buf_puts(&out->body, " xmlns=\"");
        tap_xml_escape(&out->body, xmlns, strlen(xmlns));
        tap_buf_putc(&out->body, '"');
    }
    tap_buf_putc(&out->body, '>');
}

void tap_query_write_response(struct tap_response *out, const struct tap_model *model,
                              const json_t *operation, const json_t *output, const char *request_id)
{
    const json_t *ref = json_object_get(operation, "output");
    char *name = tap_sprintf("%sResponse", json_string_value(json_object_get(operation, "name")));
    char *result = tap_query_result_name(operation);
    tap_query_begin_answer(out, model, 200, request_id, name);
    if (ref)
        tap_xml_write_value(&out->body, model, result, ref, output, NULL);
    tap_buf_puts(&out->body, "<ResponseMetadata>");
    tap_xml_write_text(&out->body, "RequestId", request_id);
    tap_buf_printf(&out->body, "</ResponseMetadata></%s>", name);
    tap_free(result);
    tap_free(name);
}

void tap_query_write_error(struct tap_response *out, const struct tap_model *model,
                           const struct tap_error *error, const char *request_id)
{
    int status = error->http_status ? error->http_status : 400;
    tap_query_begin_answer(out, model, status, request_id, "ErrorResponse");
    tap_buf_puts(&out->body, "<Error>");
    tap_xml_write_text(&out->body, "Type", status < 500 ? "Sender" : "Receiver");
    tap_xml_write_text(&out->body, "Code", error->name);
    tap_xml_write_text(&out->body, "Message", error->message);
    tap_buf_puts(&out->body, "</Error>");
    tap_xml_write_text(&out->body, "RequestId", request_id);
    tap_buf_puts(&out->body, "</ErrorResponse>");
}
