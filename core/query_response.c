/*
 * Reading a query response: XML, by the operation's output shape. What the model does not know is
 * skipped; what does not fit its type is an error, because a script would act on it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "query.h"
#include "xml.h"

struct reader {
    const struct tap_model *model;
    struct tap_error *err;
    tap_err code; /* of the first value that does not fit */
};

static json_t *read_value(struct reader *reader, const json_t *ref, const struct tap_xml *xml);

static json_t *read_scalar(struct reader *reader, enum tap_shape_kind kind, const char *name,
                           const char *text)
{
    bool wordy = kind == TAP_SHAPE_STRING || kind == TAP_SHAPE_BLOB;
    if (!wordy && !text[strspn(text, " \t\r\n")])
        return NULL; /* <DeletionTime/>: there is none */
    json_t *value = tap_scalar_read(kind, text, strlen(text));
    if (!value && !reader->code)
        reader->code = tap_fail(reader->err, TAP_E_PROTOCOL, "UnexpectedAnswer",
                                "the answer's %s is \"%.60s\", where the service's model has %s",
                                name, text, tap_shape_kind_name(kind));
    return value;
}

/* Adds the list element `xml` stands for; scalars that say nothing are dropped. */
static void add_item(struct reader *reader, json_t *list, const json_t *shape,
                     const struct tap_xml *xml)
{
    json_t *item = read_value(reader, json_object_get(shape, "member"), xml);
    if (item)
        json_array_append_new(list, item);
}

static void add_entry(struct reader *reader, json_t *map, const json_t *shape,
                      const struct tap_xml *xml)
{
    const char *key = tap_xml_child_text(xml, tap_query_key_name(shape));
    const struct tap_xml *value = tap_xml_child(xml, tap_query_value_name(shape));
    json_t *item = value ? read_value(reader, json_object_get(shape, "value"), value) : NULL;
    if (key && item)
        json_object_set_new(map, key, item);
    else
        json_decref(item);
}

/* A flattened list or map: all children of that name. NULL when there is none. */
static json_t *read_flattened(struct reader *reader, const json_t *shape, const char *name,
                              const struct tap_xml *parent)
{
    bool list = tap_shape_kind(shape) == TAP_SHAPE_LIST;
    json_t *value = NULL;
    for (size_t i = 0; i < parent->n_children; i++) {
        const struct tap_xml *child = parent->children[i];
        if (strcmp(child->name, name) != 0)
            continue;
        if (!value)
            value = list ? json_array() : json_object();
        if (list)
            add_item(reader, value, shape, child);
        else
            add_entry(reader, value, shape, child);
    }
    return value;
}

static json_t *read_attribute(struct reader *reader, const json_t *shape, const char *name,
                              const struct tap_xml *xml)
{
    for (size_t i = 0; i < xml->n_attributes; i++)
        if (strcmp(xml->attributes[i].name, name) == 0)
            return read_scalar(reader, tap_shape_kind(shape), name, xml->attributes[i].value);
    return NULL;
}

static json_t *read_structure(struct reader *reader, const json_t *shape, const struct tap_xml *xml)
{
    const json_t *members = json_object_get(shape, "members");
    json_t *value = json_object();
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = tap_ref_shape(reader->model, ref);
        const char *name = tap_query_member_name(reader->model, ref, member);
        const struct tap_xml *child = tap_xml_child(xml, name);
        json_t *item = NULL;
        if (tap_ref_flag(ref, "xmlAttribute"))
            item = read_attribute(reader, inner, name, xml);
        else if (tap_query_flattened(ref, inner))
            item = read_flattened(reader, inner, name, xml);
        else if (child)
            item = read_value(reader, ref, child);
        if (item)
            json_object_set_new(value, member, item);
    }
    return value;
}

/* NULL: an empty element that stands for no value. The recursion is as deep as the XML, which has a
 * limit. */
static json_t *read_value(struct reader *reader, const json_t *ref, const struct tap_xml *xml)
{
    const json_t *shape = tap_ref_shape(reader->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    json_t *value;
    switch (kind) {
    case TAP_SHAPE_STRUCTURE: return read_structure(reader, shape, xml);
    case TAP_SHAPE_LIST:
        value = json_array();
        for (size_t i = 0; i < xml->n_children; i++)
            add_item(reader, value, shape, xml->children[i]);
        return value;
    case TAP_SHAPE_MAP:
        value = json_object();
        for (size_t i = 0; i < xml->n_children; i++)
            add_entry(reader, value, shape, xml->children[i]);
        return value;
    default: return read_scalar(reader, kind, xml->name, xml->text);
    }
}

/* The start of a body on one line, for a message; what cannot be printed becomes a dot. */
static void excerpt(char *out, size_t size, const struct tap_buf *body)
{
    const char *text = tap_buf_text(body);
    size_t n = 0;
    bool blank = true;
    for (size_t i = 0; i < body->len && n + 4 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isspace(c) && blank)
            continue;
        blank = isspace(c) != 0;
        out[n++] = (char)(blank ? ' ' : c < 0x20 || c >= 0x7F ? '.' : c);
    }
    out[n] = '\0';
}

static bool is_blank(const struct tap_buf *body)
{
    for (size_t i = 0; i < body->len; i++)
        if (!isspace((unsigned char)body->data[i]))
            return false;
    return true;
}

tap_err tap_query_parse_response(json_t **output, const struct tap_model *model,
                                 const json_t *operation, const struct tap_response *response,
                                 struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "output");
    *output = NULL;
    if (!ref || is_blank(&response->body)) {
        *output = json_object();
        return TAP_OK;
    }
    struct tap_xml *root = NULL;
    struct tap_error why;
    if (tap_xml_parse(&root, tap_buf_text(&response->body), response->body.len, &why)) {
        char start[160];
        excerpt(start, sizeof start, &response->body);
        return tap_fail(err, TAP_E_PROTOCOL, "UnexpectedAnswer",
                        "the answer is not the XML that %s writes (line %u: %s); it begins: %s",
                        tap_model_service(model), why.line, why.message, start);
    }
    struct reader reader = {.model = model, .err = err};
    char *result = tap_query_result_name(operation);
    const struct tap_xml *inner = tap_xml_child(root, result);
    *output = read_value(&reader, ref, inner ? inner : root);
    tap_free(result);
    tap_xml_free(root);
    if (reader.code) {
        json_decref(*output);
        *output = NULL;
    }
    return reader.code;
}

/* <ErrorResponse><Error>, <Response><Errors><Error> (as EC2 writes it), or <Error> alone. */
static const struct tap_xml *find_error(const struct tap_xml *root)
{
    const struct tap_xml *errors = tap_xml_child(root, "Errors");
    const struct tap_xml *error = tap_xml_child(errors ? errors : root, "Error");
    return error ? error : strcmp(root->name, "Error") == 0 ? root : NULL;
}

static void read_request_id(struct tap_error *err, const struct tap_xml *root)
{
    static const char *const names[] = {"RequestId", "RequestID"};
    const struct tap_xml *places[] = {root, tap_xml_child(root, "ResponseMetadata")};
    for (size_t i = 0; i < 4; i++) {
        const struct tap_xml *place = places[i / 2];
        const char *id = place ? tap_xml_child_text(place, names[i % 2]) : NULL;
        if (id && *id)
            tap_error_copy(err->request_id, sizeof err->request_id, id);
    }
}

/* What the service says went wrong. False when the body does not say it. */
static bool read_error(struct tap_error *err, const struct tap_xml *root)
{
    const struct tap_xml *error = find_error(root);
    const char *name = error ? tap_xml_child_text(error, "Code") : NULL;
    const char *message = error ? tap_xml_child_text(error, "Message") : NULL;
    if (error && !message)
        message = tap_xml_child_text(error, "message");
    if (!name || !*name)
        return false;
    tap_error_copy(err->name, sizeof err->name, name);
    if (message && *message)
        tap_error_copy(err->message, sizeof err->message, message);
    else
        snprintf(err->message, sizeof err->message, "the service gave no reason (HTTP status %d)",
                 err->http_status);
    return true;
}

void tap_query_parse_error(struct tap_error *err, const struct tap_model *model,
                           const struct tap_response *response)
{
    char name[16], start[160];
    snprintf(name, sizeof name, "HTTP%d", response->status);
    excerpt(start, sizeof start, &response->body);
    tap_fail(err, TAP_E_SERVICE, name,
             *start ? "the service answered with HTTP status %d and no error that can be read; the "
                      "answer begins: %s"
                    : "the service answered with HTTP status %d and nothing else",
             response->status, start);
    err->http_status = response->status;
    tap_error_copy(err->service, sizeof err->service, tap_model_service(model));
    tap_error_copy(err->request_id, sizeof err->request_id, tap_response_request_id(response));

    struct tap_xml *root = NULL;
    if (tap_xml_parse(&root, tap_buf_text(&response->body), response->body.len, NULL))
        return;
    read_error(err, root);
    read_request_id(err, root);
    tap_xml_free(root);
}
