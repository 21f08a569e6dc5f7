/*
 * Reading a query request, for the sandbox: the form becomes the operation's input by its model,
 * with AWS's own answers to what is wrong with it.
 */
#include <string.h>

#include "mem.h"
#include "protocol_request.h"
#include "query.h"
#include "query_form.h"

enum { MAX_NAME = 64 * 1024 };

struct reader {
    const struct tap_query_dialect *dialect;
    const struct tap_model *model;
    struct tap_error *err;
    tap_err code;
};

static json_t *read_value(struct reader *reader, const char *name, const json_t *ref,
                          const json_t *node);

static json_t *read_scalar(struct reader *reader, const char *name, enum tap_shape_kind kind,
                           const json_t *node)
{
    const json_t *text = tap_form_text(node);
    if (!text)
        return NULL;
    const char *bytes = json_string_value(text);
    size_t len = json_string_length(text);
    if (!len && kind != TAP_SHAPE_STRING && kind != TAP_SHAPE_BLOB)
        return NULL;
    json_t *value = tap_scalar_read(kind, bytes, len);
    if (!value && !reader->code) {
        reader->code = tap_refuse_request(reader->err, 400, "MalformedInput",
                                          "Invalid value for %s: it must be %s", name,
                                          tap_shape_kind_name(kind));
    }
    return value;
}

/* The node of a member; NULL when the form has none. */
static const json_t *member_node(struct reader *reader, const char *member, const json_t *ref,
                                 const json_t *node)
{
    struct tap_buf name;
    tap_buf_init(&name, MAX_NAME);
    reader->dialect->add_name(&name, reader->model, ref, member);
    const json_t *inner = json_object_get(node, tap_buf_text(&name));
    tap_buf_fini(&name);
    return inner;
}

static json_t *read_structure(struct reader *reader, const json_t *shape, const json_t *node)
{
    const json_t *members = json_object_get(shape, "members");
    json_t *value = json_object();
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *ref = json_object_iter_value(at);
        const json_t *inner = member_node(reader, member, ref, node);
        json_t *item = inner ? read_value(reader, member, ref, inner) : NULL;
        if (item)
            json_object_set_new(value, member, item);
    }
    return value;
}

/* The elements of a list or map: the children with numbers for names, in the order of the numbers.
 * Freed by tap_free. */
static const json_t **numbered(const struct reader *reader, const json_t *ref, const json_t *shape,
                               const char *inside, const json_t *node, size_t *n)
{
    bool flat = reader->dialect->flat_lists || tap_wire_flattened(ref, shape);
    return tap_form_numbered(flat ? node : json_object_get(node, inside), n);
}

static json_t *read_list(struct reader *reader, const char *name, const json_t *ref,
                         const json_t *shape, const json_t *node)
{
    size_t n;
    const json_t **items = numbered(reader, ref, shape, tap_wire_item_name(shape), node, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *item = read_value(reader, name, json_object_get(shape, "member"), items[i]);
        if (item)
            json_array_append_new(list, item);
    }
    tap_free(items);
    return list;
}

static json_t *read_map(struct reader *reader, const char *name, const json_t *ref,
                        const json_t *shape, const json_t *node)
{
    size_t n;
    const json_t **entries = numbered(reader, ref, shape, "entry", node, &n);
    json_t *map = json_object();
    for (size_t i = 0; i < n; i++) {
        const json_t *key = tap_form_text(json_object_get(entries[i], tap_wire_key_name(shape)));
        const json_t *inner = json_object_get(entries[i], tap_wire_value_name(shape));
        json_t *value =
            inner ? read_value(reader, name, json_object_get(shape, "value"), inner) : NULL;
        if (key && value)
            json_object_setn_new(map, json_string_value(key), json_string_length(key), value);
        else
            json_decref(value);
    }
    tap_free(entries);
    return map;
}

/* The recursion is as deep as the form's names, which have a limit. */
static json_t *read_value(struct reader *reader, const char *name, const json_t *ref,
                          const json_t *node)
{
    const json_t *shape = tap_ref_shape(reader->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    switch (kind) {
    case TAP_SHAPE_STRUCTURE: return read_structure(reader, shape, node);
    case TAP_SHAPE_LIST: return read_list(reader, name, ref, shape, node);
    case TAP_SHAPE_MAP: return read_map(reader, name, ref, shape, node);
    default: return read_scalar(reader, name, kind, node);
    }
}

static const char *parameter(const json_t *form, const char *name)
{
    const json_t *text = tap_form_text(json_object_get(form, name));
    return text ? json_string_value(text) : NULL;
}

/* The operation that Action and Version name, spelt exactly. */
static tap_err find_operation(const json_t **operation, const struct tap_model *model,
                              const json_t *form, struct tap_error *err)
{
    const char *action = parameter(form, "Action");
    const char *version = parameter(form, "Version");
    const char *known = json_string_value(json_object_get(tap_model_metadata(model), "apiVersion"));
    if (!action || !*action)
        return tap_refuse_request(err, 400, "MissingAction",
                                  "The request must contain the parameter Action");
    bool same_version = version && known && strcmp(version, known) == 0;
    if (same_version && tap_find_operation(operation, model, action))
        return TAP_OK;
    return tap_refuse_request(err, 400, "InvalidAction",
                              "Could not find operation %s for version %s", action,
                              version ? version : "NO_VERSION_SPECIFIED");
}

tap_err tap_query_read_form(const json_t **operation, json_t **input,
                            const struct tap_query_dialect *dialect, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err)
{
    struct reader reader = {.dialect = dialect, .model = model, .err = err};
    json_t *form = NULL;
    *operation = NULL;
    *input = NULL;
    tap_err code = tap_form_read(&form, request, err);
    if (!code)
        code = find_operation(operation, model, form, err);
    if (!code) {
        const json_t *ref = json_object_get(*operation, "input");
        *input = ref ? read_value(&reader, "input", ref, form) : json_object();
        code = reader.code;
    }
    json_decref(form);
    if (code) {
        json_decref(*input);
        *input = NULL;
    }
    return code;
}
