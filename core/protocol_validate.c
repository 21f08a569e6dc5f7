/*
 * Checking an operation's input by its model before anything is sent. All findings are told at
 * once: who fixes a script does not want to learn of one mistake per run.
 */
#include "protocol.h"

#include <string.h>

#include "json.h"
#include "mem.h"
#include "protocol_shape.h"
#include "text.h"

enum { MAX_FINDINGS = 20 };

struct check {
    const struct tap_model *model;
    struct tap_buf path; /* "Parameters[0].ParameterKey" */
    struct tap_buf findings;
    size_t n, depth;
};

static void check_value(struct check *check, const json_t *ref, const json_t *value);

static void finding(struct check *check, const char *what)
{
    if (check->n++ >= MAX_FINDINGS)
        return;
    if (check->findings.len)
        tap_buf_putc(&check->findings, '\n');
    if (check->path.len)
        tap_buf_printf(&check->findings, "%s: ", tap_buf_text(&check->path));
    tap_buf_puts(&check->findings, what);
}

/* What is given, in the words of the messages. */
static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a string";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_NULL: return "null";
    default: return "a boolean";
    }
}

/* Steps into a member or an entry; the path is cut back by its old length afterwards. */
static size_t enter_member(struct check *check, const char *name)
{
    size_t before = check->path.len;
    tap_buf_printf(&check->path, "%s%s", before ? "." : "", name);
    return before;
}

static void unknown_member(struct check *check, const json_t *members, const char *name)
{
    const char **names = tap_calloc(json_object_size(members), sizeof *names);
    size_t n = 0;
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at))
        names[n++] = json_object_iter_key(at);
    const char *nearest = tap_nearest(name, names, n);
    char *text = nearest ? tap_sprintf("unknown member (did you mean %s?)", nearest)
                         : tap_strdup("unknown member");
    size_t before = enter_member(check, name);
    finding(check, text);
    tap_buf_cut(&check->path, before);
    tap_free(text);
    tap_free(names);
}

/* null stands for "not given", and for a value only in lists and maps that the model calls sparse.
 */
static bool given(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return value && !json_is_null(value);
}

static void check_required(struct check *check, const json_t *shape, const json_t *value)
{
    size_t i;
    const json_t *name;
    json_array_foreach(json_object_get(shape, "required"), i, name)
    {
        if (given(value, json_string_value(name)))
            continue;
        size_t before = enter_member(check, json_string_value(name));
        finding(check, "required, and missing");
        tap_buf_cut(&check->path, before);
    }
}

static void check_structure(struct check *check, const json_t *shape, const json_t *value)
{
    const json_t *members = json_object_get(shape, "members");
    size_t set = 0;
    if (tap_ref_flag(shape, "document"))
        return; /* anything that JSON can carry */
    check_required(check, shape, value);
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *ref = json_object_get(members, name);
        if (!ref) {
            unknown_member(check, members, name);
            continue;
        }
        if (json_is_null(json_object_iter_value(at)))
            continue;
        set++;
        size_t before = enter_member(check, name);
        check_value(check, ref, json_object_iter_value(at));
        tap_buf_cut(&check->path, before);
    }
    if (tap_ref_flag(shape, "union") && set != 1)
        finding(check, "exactly one of its members must be given");
}

static void check_list(struct check *check, const json_t *shape, const json_t *value)
{
    size_t i, before = check->path.len;
    const json_t *item;
    json_array_foreach(value, i, item)
    {
        if (json_is_null(item) && tap_ref_flag(shape, "sparse"))
            continue;
        tap_buf_printf(&check->path, "[%zu]", i);
        check_value(check, json_object_get(shape, "member"), item);
        tap_buf_cut(&check->path, before);
    }
}

static void check_map(struct check *check, const json_t *shape, const json_t *value)
{
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at)) {
        if (json_is_null(json_object_iter_value(at)) && tap_ref_flag(shape, "sparse"))
            continue;
        size_t before = enter_member(check, json_object_iter_key(at));
        check_value(check, json_object_get(shape, "value"), json_object_iter_value(at));
        tap_buf_cut(&check->path, before);
    }
}

/* "must be an integer, not a fraction": what a value of a wrong kind is in this place. */
static void wrong_scalar(struct check *check, enum tap_shape_kind kind, const json_t *value)
{
    bool whole = kind == TAP_SHAPE_INTEGER || kind == TAP_SHAPE_LONG;
    if (kind == TAP_SHAPE_INTEGER && json_is_integer(value)) {
        finding(check, "must be an integer of 32 bits, not one that is larger");
        return;
    }
    const char *what = kind_of(value);
    if (whole && json_is_real(value))
        what = "a fraction";
    else if (json_is_string(value) && (kind == TAP_SHAPE_BLOB || kind == TAP_SHAPE_TIMESTAMP))
        what = "this string";
    char *message = tap_sprintf("must be %s, not %s", tap_shape_kind_name(kind), what);
    finding(check, message);
    tap_free(message);
}

static void check_scalar(struct check *check, enum tap_shape_kind kind, const json_t *value)
{
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    if (!tap_scalar_write(&text, kind, TAP_TIME_FORMAT_XML, value))
        wrong_scalar(check, kind, value);
    tap_buf_fini_secret(&text);
}

/* The smallest length or number that the model allows. (The largest are the service's to refuse:
 * they grow over the years, and models age.) */
static void check_minimum(struct check *check, const json_t *shape, enum tap_shape_kind kind,
                          const json_t *value)
{
    const json_t *min = json_object_get(shape, "min");
    double least = json_number_value(min);
    if (!json_is_number(min))
        return;
    char *message = NULL;
    if (kind == TAP_SHAPE_STRING && (double)json_string_length(value) < least)
        message = tap_sprintf("must have at least %.0f character%s", least, least == 1 ? "" : "s");
    else if (kind == TAP_SHAPE_LIST && (double)json_array_size(value) < least)
        message = tap_sprintf("must have at least %.0f element%s", least, least == 1 ? "" : "s");
    else if (json_is_number(value) && json_number_value(value) < least)
        message = tap_sprintf("must be %g or more", least);
    if (message)
        finding(check, message);
    tap_free(message);
}

static void check_value(struct check *check, const json_t *ref, const json_t *value)
{
    const json_t *shape = tap_ref_shape(check->model, ref);
    enum tap_shape_kind kind = tap_shape_kind(shape);
    bool object = kind == TAP_SHAPE_STRUCTURE || kind == TAP_SHAPE_MAP;
    if (check->depth == TAP_MAX_DEPTH) {
        finding(check, "nested too deeply");
        return;
    }
    check->depth++;
    size_t before = check->n;
    if ((object && !json_is_object(value)) || (kind == TAP_SHAPE_LIST && !json_is_array(value))) {
        char *message =
            tap_sprintf("must be %s, not %s", tap_shape_kind_name(kind), kind_of(value));
        if (!tap_ref_flag(shape, "document"))
            finding(check, message);
        tap_free(message);
    } else if (kind == TAP_SHAPE_STRUCTURE) {
        check_structure(check, shape, value);
    } else if (kind == TAP_SHAPE_LIST) {
        check_list(check, shape, value);
    } else if (kind == TAP_SHAPE_MAP) {
        check_map(check, shape, value);
    } else {
        check_scalar(check, kind, value);
    }
    if (check->n == before)
        check_minimum(check, shape, kind, value);
    check->depth--;
}

/* An operation without input takes an empty object, or nothing. */
static void check_input(struct check *check, const json_t *ref, const json_t *input)
{
    const json_t *nothing = json_object();
    const json_t *value = input && !json_is_null(input) ? input : nothing;
    if (ref)
        check_value(check, ref, value);
    else if (json_object_size(value) || !json_is_object(value))
        finding(check, "this operation takes no input");
    json_decref((json_t *)nothing);
}

tap_err tap_validate_input(const struct tap_model *model, const json_t *operation,
                           const json_t *input, struct tap_error *err)
{
    struct check check = {.model = model};
    tap_buf_init(&check.path, TAP_MAX_DOCUMENT);
    tap_buf_init(&check.findings, TAP_MAX_DOCUMENT);
    check_input(&check, json_object_get(operation, "input"), input);
    if (check.n > MAX_FINDINGS)
        tap_buf_printf(&check.findings, "\n(and %zu more)", check.n - MAX_FINDINGS);
    tap_err code = TAP_OK;
    if (check.n) {
        code = tap_fail(err, TAP_E_USAGE, "InvalidInput", "%s", tap_buf_text(&check.findings));
        if (err) {
            tap_error_copy(err->service, sizeof err->service, tap_model_service(model));
            tap_error_copy(err->operation, sizeof err->operation,
                           json_string_value(json_object_get(operation, "name")));
        }
    }
    tap_buf_fini(&check.path);
    tap_buf_fini(&check.findings);
    return code;
}
