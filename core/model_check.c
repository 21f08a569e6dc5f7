/*
 * The check of a service model. Every path through it is bounded by the document's size: shapes
 * refer to each other by name, so nothing here follows a reference.
 */
#include "model_check.h"

#include <string.h>

#include "buf.h"

enum { MAX_PATH_TEXT = 1024 };

struct check {
    const json_t *shapes;
    json_t *where; /* path of the node that is looked at */
    struct tap_error *err;
};

static void enter(struct check *check, const char *key)
{
    json_array_append_new(check->where, json_string(key));
}

static void leave(struct check *check)
{
    json_array_remove(check->where, json_array_size(check->where) - 1);
}

/* `problem` continues a sentence that begins with the node's path. */
static tap_err fail(struct check *check, const char *problem, const char *detail)
{
    struct tap_buf path;
    tap_buf_init(&path, MAX_PATH_TEXT);
    size_t i;
    json_t *key;
    json_array_foreach(check->where, i, key)
    {
        if (json_is_string(key))
            tap_buf_printf(&path, i ? ".%s" : "%s", json_string_value(key));
        else
            tap_buf_printf(&path, "[%d]", (int)json_integer_value(key));
    }
    tap_err failed = tap_fail(check->err, TAP_E_PARSE, "InvalidModel", "%s %s%s",
                              path.len ? tap_buf_text(&path) : "the model", problem, detail);
    tap_buf_fini(&path);
    return failed;
}

static tap_err check_reference(struct check *check, const json_t *node)
{
    const char *name = json_string_value(json_object_get(node, "shape"));
    if (!name)
        return fail(check, "must be an object with a string \"shape\"", "");
    if (!json_object_get(check->shapes, name))
        return fail(check, "refers to a shape that the model does not have: ", name);
    return TAP_OK;
}

/* The reference at `key` of an object, which may be left out when it is not required. */
static tap_err check_reference_at(struct check *check, const json_t *object, const char *key,
                                  bool required)
{
    const json_t *node = json_object_get(object, key);
    if (!node)
        return required ? fail(check, "must have ", key) : TAP_OK;
    enter(check, key);
    tap_err failed = check_reference(check, node);
    if (!failed)
        leave(check);
    return failed;
}

static tap_err check_errors(struct check *check, const json_t *errors)
{
    enter(check, "errors");
    if (!json_is_array(errors))
        return fail(check, "must be a list", "");
    size_t i;
    json_t *reference;
    json_array_foreach(errors, i, reference)
    {
        json_array_append_new(check->where, json_integer((json_int_t)i));
        tap_err failed = check_reference(check, reference);
        if (failed)
            return failed;
        leave(check);
    }
    leave(check);
    return TAP_OK;
}

static tap_err check_operation(struct check *check, const json_t *operation)
{
    const json_t *http = json_object_get(operation, "http");
    const json_t *errors = json_object_get(operation, "errors");
    if (!json_is_string(json_object_get(http, "method")) ||
        !json_is_string(json_object_get(http, "requestUri")))
        return fail(check, "must have \"http\" with \"method\" and \"requestUri\"", "");
    tap_err failed = check_reference_at(check, operation, "input", false);
    if (!failed)
        failed = check_reference_at(check, operation, "output", false);
    if (!failed && errors)
        failed = check_errors(check, errors);
    return failed;
}

static tap_err check_members(struct check *check, json_t *members)
{
    enter(check, "members");
    if (!json_is_object(members))
        return fail(check, "must be an object", "");
    const char *name;
    json_t *member;
    json_object_foreach(members, name, member)
    {
        tap_err failed = check_reference_at(check, members, name, true);
        if (failed)
            return failed;
    }
    leave(check);
    return TAP_OK;
}

static tap_err check_shape(struct check *check, const json_t *shape)
{
    const char *type = json_string_value(json_object_get(shape, "type"));
    json_t *members = json_object_get(shape, "members");
    if (!type)
        return fail(check, "must be an object with a string \"type\"", "");
    if (strcmp(type, "list") == 0)
        return check_reference_at(check, shape, "member", true);
    if (strcmp(type, "map") == 0) {
        tap_err failed = check_reference_at(check, shape, "key", true);
        return failed ? failed : check_reference_at(check, shape, "value", true);
    }
    return members ? check_members(check, members) : TAP_OK;
}

/* Checks every value of the object at `key` of the model. */
static tap_err check_each(struct check *check, const json_t *service2, const char *key,
                          tap_err (*check_one)(struct check *, const json_t *))
{
    json_t *table = json_object_get(service2, key);
    enter(check, key);
    if (!json_is_object(table))
        return fail(check, "must be an object", "");
    const char *name;
    json_t *value;
    json_object_foreach(table, name, value)
    {
        enter(check, name);
        if (strpbrk(name, "\t\n"))
            return fail(check, "has a tab or a line end in its name", "");
        tap_err failed = check_one(check, value);
        if (failed)
            return failed;
        leave(check);
    }
    leave(check);
    return TAP_OK;
}

tap_err tap_model_check(json_t *where, const json_t *service2, struct tap_error *err)
{
    struct check check = {json_object_get(service2, "shapes"), where, err};
    if (!json_is_object(service2))
        return fail(&check, "must be an object", "");
    const json_t *metadata = json_object_get(service2, "metadata");
    if (!json_is_string(json_object_get(metadata, "protocol")))
        return fail(&check, "must have \"metadata\" with a string \"protocol\"", "");
    tap_err failed = check_each(&check, service2, "shapes", check_shape);
    if (!failed && json_object_get(service2, "operations"))
        failed = check_each(&check, service2, "operations", check_operation);
    return failed;
}
