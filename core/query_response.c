/*
 * Reading a query response: XML, by the operation's output shape, inside the result's element.
 */
#include "mem.h"
#include "protocol_answer.h"
#include "protocol_xml.h"
#include "query.h"

tap_err tap_query_parse_response(json_t **output, const struct tap_model *model,
                                 const json_t *operation, const struct tap_response *response,
                                 struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "output");
    *output = NULL;
    if (!ref || tap_answer_is_blank(response)) {
        *output = json_object();
        return TAP_OK;
    }
    struct tap_xml *root = NULL;
    struct tap_error why;
    if (tap_xml_parse(&root, tap_buf_text(&response->body), response->body.len, &why))
        return tap_answer_unread(err, model, response, "XML", &why);
    char *result = tap_query_result_name(operation);
    const struct tap_xml *inner = tap_xml_child(root, result);
    tap_err code = tap_xml_read_value(output, model, ref, inner ? inner : root, err);
    tap_free(result);
    tap_xml_free(root);
    return code;
}
