/*
 * Reading a model from each of its sources. See model_source.h.
 *
 * The embedded copies were checked when they were made and are walked by the tests; what a user
 * gives is checked here, and an error points into the user's file.
 */
#include "model_source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assets.h"
#include "json.h"
#include "mem.h"
#include "model_check.h"

/* What a user's folder may have beside service-2.json. */
static const struct part {
    enum tap_model_kind kind;
    const char *file;
    const char *key; /* of the object whose values are the entries; NULL: the file is one entry */
} parts[] = {
    {TAP_MODEL_WAITER, "waiters-2.json", "waiters"},
    {TAP_MODEL_PAGINATOR, "paginators-1.json", "pagination"},
    {TAP_MODEL_ENDPOINT_RULES, "endpoint-rule-set-1.json", NULL},
};

static void table_from(struct tap_model_table *table, struct tap_buf *text)
{
    size_t len;
    char *lines = tap_buf_take(text, &len);
    tap_model_table_init(table, lines, len);
}

/* ---- embedded ---- */

/* The text of an embedded file; false when there is none. */
static bool embedded_text(struct tap_buf *text, const char *name)
{
    char *path = tap_sprintf("aws-models/%s.z", name);
    const struct tap_asset *asset = tap_asset_find(&tap_model_assets, path);
    tap_free(path);
    tap_buf_init(text, TAP_MAX_DOCUMENT);
    if (asset)
        tap_asset_inflate(text, asset);
    return asset != NULL;
}

bool tap_model_read_embedded(struct tap_model_table *table, const char *service)
{
    struct tap_buf text;
    if (strcmp(service, "partitions") == 0 || !embedded_text(&text, service))
        return false;
    table_from(table, &text);
    return true;
}

json_t *tap_model_read_partitions(void)
{
    struct tap_buf text;
    json_t *partitions = NULL;
    if (embedded_text(&text, "partitions"))
        tap_json_parse(&partitions, tap_buf_text(&text), text.len, "partitions", NULL);
    assert(partitions);
    tap_buf_fini(&text);
    return partitions;
}

/* ---- from JSON ---- */

static void add_entries(struct tap_buf *text, enum tap_model_kind kind, json_t *table)
{
    const char *name;
    json_t *value;
    json_object_foreach(table, name, value)
    {
        tap_model_line(text, kind, name, value);
    }
}

static void add_service2(struct tap_buf *text, const json_t *service2)
{
    static const char *const facts[] = {"metadata", "clientContextParams"};
    json_t *top = json_object();
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        json_object_set(top, facts[i], json_object_get(service2, facts[i]));
    tap_model_line(text, TAP_MODEL_TOP, "", top);
    json_decref(top);
    add_entries(text, TAP_MODEL_OPERATION, json_object_get(service2, "operations"));
    add_entries(text, TAP_MODEL_SHAPE, json_object_get(service2, "shapes"));
}

static tap_err finish(struct tap_model_table *table, struct tap_buf *text, struct tap_error *err)
{
    if (text->overflow)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the model has more than %d bytes",
                        TAP_MAX_DOCUMENT);
    table_from(table, text);
    return TAP_OK;
}

tap_err tap_model_read_json(struct tap_model_table *table, const json_t *service2,
                            struct tap_error *err)
{
    json_t *where = json_array();
    tap_err failed = tap_model_check(where, service2, err);
    json_decref(where);
    if (failed)
        return failed;
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_DOCUMENT);
    add_service2(&text, service2);
    return finish(table, &text, err);
}

/* ---- from a user's folder ---- */

static tap_err read_file(struct tap_buf *content, const char *path, struct tap_error *err)
{
    tap_buf_init(content, TAP_MAX_DOCUMENT);
    FILE *file = fopen(path, "rb");
    if (!file)
        return tap_fail(err, TAP_E_IO, "FileNotReadable", "%s: %s", path, strerror(errno));
    char chunk[32 * 1024];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0 && !content->overflow;)
        tap_buf_add(content, chunk, n);
    bool broken = ferror(file);
    fclose(file);
    if (broken || content->overflow) {
        bool overflow = content->overflow;
        tap_buf_fini(content);
        return overflow ? tap_fail(err, TAP_E_LIMIT, "TooLarge", "%s: more than %d bytes", path,
                                   TAP_MAX_DOCUMENT)
                        : tap_fail(err, TAP_E_IO, "FileNotReadable", "%s: cannot be read", path);
    }
    return TAP_OK;
}

/* Gives the error of a well-formed file the place of the node at `where`. */
static void add_place(struct tap_error *err, const char *path, const struct tap_buf *content,
                      const json_t *where)
{
    struct tap_doc *doc;
    struct tap_mark key = {0}, value = {0};
    if (!err || tap_json_document(&doc, tap_buf_text(content), content->len, path, NULL))
        return;
    tap_doc_mark(doc, where, &key, &value);
    tap_doc_free(doc);
    tap_error_copy(err->file, sizeof err->file, path);
    err->line = value.line;
    err->column = value.column;
}

/* A part's file is an object, at `key` or as a whole, of objects. */
static tap_err check_part(json_t *where, const json_t *root, const struct part *part,
                          struct tap_error *err)
{
    json_t *table = part->key ? json_object_get(root, part->key) : (json_t *)root;
    if (!json_is_object(table))
        return tap_fail(err, TAP_E_PARSE, "InvalidModel", "%s must be an object",
                        part->key ? part->key : "the endpoint rule set");
    const char *name;
    json_t *value;
    json_object_foreach(table, name, value)
    {
        if (part->key && (!json_is_object(value) || strpbrk(name, "\t\n"))) {
            json_array_append_new(where, json_string(part->key));
            json_array_append_new(where, json_string(name));
            return tap_fail(err, TAP_E_PARSE, "InvalidModel", "%s.%s must be an object", part->key,
                            name);
        }
    }
    return TAP_OK;
}

/* Reads and checks a file; as service-2.json when `part` is NULL. The caller owns *out. */
static tap_err read_json(json_t **out, const char *path, const struct part *part,
                         struct tap_error *err)
{
    struct tap_buf content;
    tap_err failed = read_file(&content, path, err);
    if (!failed)
        failed = tap_json_parse(out, tap_buf_text(&content), content.len, path, err);
    if (!failed) {
        json_t *where = json_array();
        failed = part ? check_part(where, *out, part, err) : tap_model_check(where, *out, err);
        if (failed) {
            add_place(err, path, &content, where);
            json_decref(*out);
        }
        json_decref(where);
    }
    tap_buf_fini(&content);
    return failed;
}

static void copy_entries(struct tap_buf *text, enum tap_model_kind kind,
                         const struct tap_model_table *from)
{
    size_t n;
    struct tap_model_entry *entries = tap_model_table_kind(from, kind, &n);
    for (size_t i = 0; i < n; i++)
        tap_model_line(text, kind, entries[i].name, tap_model_entry_value(&entries[i]));
}

static tap_err add_part(struct tap_buf *text, const struct part *part, const char *folder,
                        const struct tap_model_table *embedded, struct tap_error *err)
{
    tap_err failed = TAP_OK;
    char *path = tap_sprintf("%s/%s", folder, part->file);
    if (access(path, F_OK) != 0) {
        copy_entries(text, part->kind, embedded);
    } else {
        json_t *root;
        failed = read_json(&root, path, part, err);
        if (!failed) {
            if (part->key)
                add_entries(text, part->kind, json_object_get(root, part->key));
            else
                tap_model_line(text, part->kind, "", root);
            json_decref(root);
        }
    }
    tap_free(path);
    return failed;
}

tap_err tap_model_read_folder(struct tap_model_table *table, const char *folder,
                              const char *service, struct tap_error *err)
{
    json_t *service2;
    char *path = tap_sprintf("%s/service-2.json", folder);
    tap_err failed = read_json(&service2, path, NULL, err);
    tap_free(path);
    if (failed)
        return failed;
    struct tap_model_table embedded = {0};
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_DOCUMENT);
    tap_model_read_embedded(&embedded, service);
    add_service2(&text, service2);
    json_decref(service2);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !failed; i++)
        failed = add_part(&text, &parts[i], folder, &embedded, err);
    tap_model_table_fini(&embedded);
    if (!failed)
        failed = finish(table, &text, err);
    tap_buf_fini(&text);
    return failed;
}
