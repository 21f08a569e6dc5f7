/*
 * Building a query request: the input becomes a form, one parameter for each scalar, named by its
 * path: Parameters.member.1.ParameterKey=A.
 */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "protocol_request.h"
#include "query.h"
#include "text.h"

struct form {
    const struct tap_query_dialect *dialect;
    const struct tap_model *model;
    struct tap_buf *body;
    struct tap_buf path;
    size_t depth;
    struct tap_error *err;
};

enum { MAX_PATH = 64 * 1024 };

static tap_err put_value(struct form *form, const json_t *ref, const json_t *value);

static void put_pair(struct form *form, const char *name, const char *value, size_t n)
{
    if (form->body->len)
        tap_buf_putc(form->body, '&');
    tap_uri_encode(form->body, name, strlen(name), "");
    tap_buf_putc(form->body, '=');
    tap_uri_encode(form->body, value, n, "");
}

/* Steps into ".name"; the path is cut back by its old length afterwards. */
static size_t enter(struct form *form, const char *name)
{
    size_t before = form->path.len;
    tap_buf_printf(&form->path, "%s%s", before ? "." : "", name);
    return before;
}

static tap_err put_inside(struct form *form, const char *name, const json_t *ref,
                          const json_t *value)
{
    size_t before = enter(form, name);
    tap_err code = put_value(form, ref, value);
    tap_buf_cut(&form->path, before);
    return code;
}

static tap_err put_member(struct form *form, const char *member, const json_t *ref,
                          const json_t *value)
{
    size_t before = enter(form, "");
    form->dialect->add_name(&form->path, form->model, ref, member);
    tap_err code = put_value(form, ref, value);
    tap_buf_cut(&form->path, before);
    return code;
}

static tap_err put_structure(struct form *form, const json_t *shape, const json_t *value)
{
    const json_t *members = json_object_get(shape, "members");
    tap_err code = TAP_OK;
    for (void *at = json_object_iter((json_t *)members); at && !code;
         at = json_object_iter_next((json_t *)members, at)) {
        const char *member = json_object_iter_key(at);
        const json_t *inner = json_object_get(value, member);
        if (inner && !json_is_null(inner))
            code = put_member(form, member, json_object_iter_value(at), inner);
    }
    return code;
}

static tap_err put_list(struct form *form, const json_t *ref, const json_t *shape,
                        const json_t *list)
{
    size_t before = form->path.len, i;
    const json_t *item;
    tap_err code = TAP_OK;
    if (!json_array_size(list)) { /* "there are none", as opposed to "not said" */
        if (form->dialect->empty_lists)
            put_pair(form, tap_buf_text(&form->path), "", 0);
        return TAP_OK;
    }
    if (!form->dialect->flat_lists && !tap_wire_flattened(ref, shape))
        enter(form, tap_wire_item_name(shape));
    json_array_foreach(list, i, item)
    {
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        code = put_inside(form, number, json_object_get(shape, "member"), item);
        if (code)
            break;
    }
    tap_buf_cut(&form->path, before);
    return code;
}

static tap_err put_entry(struct form *form, const json_t *shape, const char *key, size_t n,
                         const json_t *value)
{
    size_t before = enter(form, tap_wire_key_name(shape));
    put_pair(form, tap_buf_text(&form->path), key, n);
    tap_buf_cut(&form->path, before);
    return put_inside(form, tap_wire_value_name(shape), json_object_get(shape, "value"), value);
}

static tap_err put_map(struct form *form, const json_t *ref, const json_t *shape, const json_t *map)
{
    size_t before = form->path.len, i = 0;
    tap_err code = TAP_OK;
    if (!tap_wire_flattened(ref, shape))
        enter(form, "entry");
    for (void *at = json_object_iter((json_t *)map); at && !code;
         at = json_object_iter_next((json_t *)map, at)) {
        char number[24];
        snprintf(number, sizeof number, "%zu", ++i);
        size_t inside = enter(form, number);
        code = put_entry(form, shape, json_object_iter_key(at), json_object_iter_key_len(at),
                         json_object_iter_value(at));
        tap_buf_cut(&form->path, inside);
    }
    tap_buf_cut(&form->path, before);
    return code;
}

static tap_err misfit(struct form *form, enum tap_shape_kind kind)
{
    return tap_fail(form->err, TAP_E_USAGE, "InvalidInput", "%s: must be %s",
                    tap_buf_text(&form->path), tap_shape_kind_name(kind));
}

static tap_err put_scalar(struct form *form, const json_t *ref, const json_t *shape,
                          const json_t *value)
{
    enum tap_shape_kind kind = tap_shape_kind(shape);
    const char *format = tap_ref_trait(ref, shape, "timestampFormat");
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    bool fits = tap_scalar_write(&text, kind, format ? format : TAP_TIME_FORMAT_XML, value);
    if (fits)
        put_pair(form, tap_buf_text(&form->path), tap_buf_text(&text), text.len);
    tap_buf_fini_secret(&text);
    return fits ? TAP_OK : misfit(form, kind);
}

static tap_err put_value(struct form *form, const json_t *ref, const json_t *value)
{
    const json_t *shape = tap_ref_shape(form->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    tap_err code = TAP_OK;
    if (!tap_shape_fits(kind, value))
        return misfit(form, kind);
    if (form->depth == TAP_MAX_DEPTH)
        return tap_fail(form->err, TAP_E_LIMIT, "TooDeep", "the input nests deeper than %d levels",
                        TAP_MAX_DEPTH);
    form->depth++;
    if (kind == TAP_SHAPE_STRUCTURE)
        code = put_structure(form, shape, value);
    else if (kind == TAP_SHAPE_LIST)
        code = put_list(form, ref, shape, value);
    else if (kind == TAP_SHAPE_MAP)
        code = put_map(form, ref, shape, value);
    else
        code = put_scalar(form, ref, shape, value);
    form->depth--;
    return code;
}

tap_err tap_query_build_form(struct tap_request *out, const struct tap_query_dialect *dialect,
                             const struct tap_model *model, const json_t *operation,
                             const json_t *input, struct tap_error *err)
{
    const char *action = json_string_value(json_object_get(operation, "name"));
    const char *version =
        json_string_value(json_object_get(tap_model_metadata(model), "apiVersion"));
    const char *target =
        json_string_value(json_object_get(json_object_get(operation, "http"), "requestUri"));
    const json_t *ref = json_object_get(operation, "input");
    struct form form = {.dialect = dialect, .model = model, .body = &out->body, .err = err};
    tap_buf_init(&form.path, MAX_PATH);

    tap_set(&out->method, "POST");
    tap_set(&out->target, target ? target : "/");
    tap_headers_set(&out->headers, "Content-Type",
                    "application/x-www-form-urlencoded; charset=utf-8");
    tap_buf_reset(&out->body);
    put_pair(&form, "Action", action, strlen(action));
    if (version)
        put_pair(&form, "Version", version, strlen(version));
    json_t *nothing = json_object();
    tap_err code = ref ? put_value(&form, ref, input ? input : nothing) : TAP_OK;
    json_decref(nothing);
    if (!code && form.path.overflow)
        code = tap_fail(err, TAP_E_LIMIT, "TooLarge", "a parameter's name is longer than %d bytes",
                        MAX_PATH);
    if (!code)
        code = tap_finish_request(out, model, operation, input, err);
    tap_buf_fini(&form.path);
    return code;
}
