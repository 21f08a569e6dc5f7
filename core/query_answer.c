/*
 * Writing a query answer, for the sandbox: the output becomes XML as AWS writes it.
 */
#include <string.h>

#include "mem.h"
#include "query.h"
#include "xml.h"

struct writer {
    const struct tap_model *model;
    struct tap_buf *body;
};

static void write_value(struct writer *writer, const char *name, const json_t *ref,
                        const json_t *value);

static void put_open(struct writer *writer, const char *name)
{
    tap_buf_printf(writer->body, "<%s>", name);
}

static void put_close(struct writer *writer, const char *name)
{
    tap_buf_printf(writer->body, "</%s>", name);
}

static void put_text(struct writer *writer, const json_t *ref, const json_t *shape,
                     const json_t *value)
{
    const char *format = tap_ref_trait(ref, shape, "timestampFormat");
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    tap_scalar_write(&text, tap_shape_kind(shape), format ? format : TAP_TIME_FORMAT_XML, value);
    tap_xml_escape(writer->body, tap_buf_text(&text), text.len);
    tap_buf_fini(&text);
}

/* <name>, with the members that are attributes of it. */
static void put_open_structure(struct writer *writer, const char *name, const json_t *members,
                               const json_t *value)
{
    tap_buf_printf(writer->body, "<%s", name);
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, json_object_iter_key(at));
        if (!tap_ref_flag(ref, "xmlAttribute") || !inner)
            continue;
        tap_buf_printf(writer->body, " %s=\"",
                       tap_query_member_name(writer->model, ref, json_object_iter_key(at)));
        put_text(writer, ref, tap_ref_shape(writer->model, ref), inner);
        tap_buf_putc(writer->body, '"');
    }
    tap_buf_putc(writer->body, '>');
}

static void write_structure(struct writer *writer, const char *name, const json_t *shape,
                            const json_t *value)
{
    const json_t *members = json_object_get(shape, "members");
    put_open_structure(writer, name, members, value);
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = json_object_get(value, member);
        if (inner && !json_is_null(inner) && !tap_ref_flag(ref, "xmlAttribute"))
            write_value(writer, tap_query_member_name(writer->model, ref, member), ref, inner);
    }
    put_close(writer, name);
}

static void write_list(struct writer *writer, const char *name, const json_t *ref,
                       const json_t *shape, const json_t *list)
{
    bool flat = tap_query_flattened(ref, shape);
    size_t i;
    const json_t *item;
    if (!flat)
        put_open(writer, name);
    json_array_foreach(list, i, item) write_value(writer, flat ? name : tap_query_item_name(shape),
                                                  json_object_get(shape, "member"), item);
    if (!flat)
        put_close(writer, name);
}

static void write_map(struct writer *writer, const char *name, const json_t *ref,
                      const json_t *shape, const json_t *map)
{
    bool flat = tap_query_flattened(ref, shape);
    const char *entry = flat ? name : "entry";
    const char *key_name = tap_query_key_name(shape);
    if (!flat)
        put_open(writer, name);
    for (void *at = json_object_iter((json_t *)map); at;
         at = json_object_iter_next((json_t *)map, at)) {
        const char *key = json_object_iter_key(at);
        put_open(writer, entry);
        put_open(writer, key_name);
        tap_xml_escape(writer->body, key, strlen(key));
        put_close(writer, key_name);
        write_value(writer, tap_query_value_name(shape), json_object_get(shape, "value"),
                    json_object_iter_value(at));
        put_close(writer, entry);
    }
    if (!flat)
        put_close(writer, name);
}

static void write_value(struct writer *writer, const char *name, const json_t *ref,
                        const json_t *value)
{
    const json_t *shape = tap_ref_shape(writer->model, ref);
    switch (tap_shape_kind(shape)) {
    case TAP_SHAPE_STRUCTURE: write_structure(writer, name, shape, value); break;
    case TAP_SHAPE_LIST: write_list(writer, name, ref, shape, value); break;
    case TAP_SHAPE_MAP: write_map(writer, name, ref, shape, value); break;
    default:
        put_open(writer, name);
        put_text(writer, ref, shape, value);
        put_close(writer, name);
    }
}

/* <name xmlns="...">, and the headers that every answer has. */
static void begin(struct tap_response *out, const struct tap_model *model, int status,
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
    struct writer writer = {.model = model, .body = &out->body};
    const json_t *ref = json_object_get(operation, "output");
    char *name = tap_sprintf("%sResponse", json_string_value(json_object_get(operation, "name")));
    char *result = tap_query_result_name(operation);
    begin(out, model, 200, request_id, name);
    if (ref)
        write_value(&writer, result, ref, output);
    tap_buf_puts(&out->body, "<ResponseMetadata><RequestId>");
    tap_xml_escape(&out->body, request_id, strlen(request_id));
    tap_buf_puts(&out->body, "</RequestId></ResponseMetadata>");
    put_close(&writer, name);
    tap_free(result);
    tap_free(name);
}

static void put_element(struct tap_buf *body, const char *name, const char *text)
{
    tap_buf_printf(body, "<%s>", name);
    tap_xml_escape(body, text, strlen(text));
    tap_buf_printf(body, "</%s>", name);
}

void tap_query_write_error(struct tap_response *out, const struct tap_model *model,
                           const struct tap_error *error, const char *request_id)
{
    int status = error->http_status ? error->http_status : 400;
    begin(out, model, status, request_id, "ErrorResponse");
    tap_buf_puts(&out->body, "<Error>");
    put_element(&out->body, "Type", status < 500 ? "Sender" : "Receiver");
    put_element(&out->body, "Code", error->name);
    put_element(&out->body, "Message", error->message);
    tap_buf_puts(&out->body, "</Error>");
    put_element(&out->body, "RequestId", request_id);
    tap_buf_puts(&out->body, "</ErrorResponse>");
}
