/*
 * Service models as the rest of the core sees them: found by name, kept for the life of the
 * process, asked for operations, shapes and parts. See model.h.
 */
#include "model.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "assets.h"
#include "mem.h"
#include "model_extra.h"
#include "model_folders.h"
#include "model_source.h"
#include "model_table.h"
#include "text.h"

/* Objects made of all entries of a kind, name -> value. */
static const struct collection {
    const char *part;
    enum tap_model_kind kind;
} collections[] = {
    {"waiters", TAP_MODEL_WAITER},
    {"paginators", TAP_MODEL_PAGINATOR},
};

enum { N_COLLECTIONS = sizeof collections / sizeof *collections };

struct tap_model {
    char *service;
    struct tap_model_table table;
    const char **operations; /* names, sorted; point into the table */
    size_t n_operations;
    json_t **collected; /* one for each of `collections`, NULL until it is asked for */
    struct tap_model_extra extra;
};

/* What tap_model_load and tap_model_part keep for the process. */
static struct {
    struct tap_model **models;
    size_t n, cap;
    json_t *partitions;
} kept;

/* ---- life ---- */

/* Takes what `table` holds. */
static struct tap_model *new_model(const char *service, struct tap_model_table *table)
{
    struct tap_model *model = tap_alloc(sizeof *model);
    model->service = tap_strdup(service);
    model->table = *table;
    model->collected = tap_calloc(N_COLLECTIONS, sizeof(json_t *));
    struct tap_model_entry *entries =
        tap_model_table_kind(table, TAP_MODEL_OPERATION, &model->n_operations);
    model->operations = tap_calloc(model->n_operations, sizeof *model->operations);
    for (size_t i = 0; i < model->n_operations; i++)
        model->operations[i] = entries[i].name;
    return model;
}

void tap_model_free(struct tap_model *model)
{
    if (!model)
        return;
    if (model->extra.made)
        model->extra.release(model->extra.made);
    for (size_t i = 0; i < N_COLLECTIONS; i++)
        json_decref(model->collected[i]);
    tap_free(model->collected);
    tap_free(model->operations);
    tap_model_table_fini(&model->table);
    tap_free(model->service);
    tap_free(model);
}

struct tap_model_extra *tap_model_extra(const struct tap_model *model)
{
    return (struct tap_model_extra *)&model->extra; /* models grow as they are asked */
}

static tap_err unknown_service(const char *service, struct tap_error *err)
{
    size_t n;
    const char **names = tap_model_services(&n);
    const char *nearest = tap_nearest(service, names, n);
    tap_err failed =
        tap_fail(err, TAP_E_USAGE, "UnknownService", "no service \"%.100s\"%s%s%s", service,
                 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    tap_free(names);
    return failed;
}

static tap_err read_service(struct tap_model_table *table, const char *service,
                            struct tap_error *err)
{
    char *folder = tap_model_folder(service);
    if (!folder)
        return tap_model_read_embedded(table, service) ? TAP_OK : unknown_service(service, err);
    tap_err failed = tap_model_read_folder(table, folder, service, err);
    tap_free(folder);
    return failed;
}

tap_err tap_model_load(const struct tap_model **out, const char *service, struct tap_error *err)
{
    for (size_t i = 0; i < kept.n; i++)
        if (strcmp(kept.models[i]->service, service) == 0) {
            *out = kept.models[i];
            return TAP_OK;
        }
    *out = NULL;
    struct tap_model_table table;
    tap_err failed = read_service(&table, service, err);
    if (failed)
        return failed;
    kept.models = tap_grow(kept.models, kept.n, &kept.cap, sizeof(struct tap_model *));
    *out = kept.models[kept.n++] = new_model(service, &table);
    return TAP_OK;
}

tap_err tap_model_from_json(struct tap_model **out, const char *service, const json_t *service2,
                            struct tap_error *err)
{
    struct tap_model_table table;
    tap_err failed = tap_model_read_json(&table, service2, err);
    *out = failed ? NULL : new_model(service, &table);
    return failed;
}

void tap_model_unload_all(void)
{
    for (size_t i = 0; i < kept.n; i++)
        tap_model_free(kept.models[i]);
    tap_free(kept.models);
    json_decref(kept.partitions);
    memset(&kept, 0, sizeof kept);
}

/* ---- names ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the embedded services: "aws-models/NAME.z", all but the partitions. */
static void add_embedded(struct tap_names *names)
{
    for (size_t i = 0; i < tap_model_assets.n; i++) {
        const char *base = strrchr(tap_model_assets.items[i].path, '/') + 1;
        if (strcmp(base, "partitions.z") != 0)
            tap_names_add(names, tap_strndup(base, strlen(base) - strlen(".z")));
    }
}

/* One block: the array, then the texts that it points to. Drops what stands twice. */
static const char **as_one_block(const struct tap_names *sorted, size_t *n)
{
    size_t bytes = sorted->n * sizeof(char *);
    for (size_t i = 0; i < sorted->n; i++)
        bytes += strlen(sorted->items[i]) + 1;
    const char **array = tap_alloc(bytes);
    char *text = (char *)(array + sorted->n);
    *n = 0;
    for (size_t i = 0; i < sorted->n; i++) {
        if (*n && strcmp(array[*n - 1], sorted->items[i]) == 0)
            continue;
        size_t size = strlen(sorted->items[i]) + 1;
        memcpy(text, sorted->items[i], size);
        array[(*n)++] = text;
        text += size;
    }
    return array;
}

const char **tap_model_services(size_t *n)
{
    struct tap_names names = {0};
    add_embedded(&names);
    tap_model_folder_services(&names);
    if (names.n)
        qsort(names.items, names.n, sizeof *names.items, by_text);
    const char **services = as_one_block(&names, n);
    tap_names_fini(&names);
    return services;
}

const char *tap_model_service(const struct tap_model *model)
{
    return model->service;
}

const char *const *tap_model_operations(const struct tap_model *model, size_t *n)
{
    *n = model->n_operations;
    return model->operations;
}

/* ---- entries ---- */

static json_t *value_of(const struct tap_model *model, enum tap_model_kind kind, const char *name)
{
    struct tap_model_entry *entry = tap_model_table_find(&model->table, kind, name);
    return entry ? tap_model_entry_value(entry) : NULL;
}

const json_t *tap_model_metadata(const struct tap_model *model)
{
    return json_object_get(value_of(model, TAP_MODEL_TOP, ""), "metadata");
}

/* The model's spelling of an operation's name; NULL when it has no such operation. */
static const char *operation_name(const struct tap_model *model, const char *name)
{
    if (tap_model_table_find(&model->table, TAP_MODEL_OPERATION, name))
        return name;
    for (size_t i = 0; i < model->n_operations; i++)
        if (tap_same_name(model->operations[i], name))
            return model->operations[i];
    return NULL;
}

static tap_err unknown_operation(const struct tap_model *model, const char *name,
                                 struct tap_error *err)
{
    const char *nearest = tap_nearest(name, model->operations, model->n_operations);
    tap_fail(err, TAP_E_USAGE, "UnknownOperation", "%s has no operation \"%.100s\"%s%s%s",
             model->service, name, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
             nearest ? "\"?" : "");
    if (err)
        tap_error_copy(err->service, sizeof err->service, model->service);
    return TAP_E_USAGE;
}

tap_err tap_model_operation(const json_t **out, const struct tap_model *model, const char *name,
                            struct tap_error *err)
{
    *out = NULL;
    const char *own = operation_name(model, name);
    if (!own)
        return unknown_operation(model, name, err);
    json_t *operation = value_of(model, TAP_MODEL_OPERATION, own);
    /* CloudFront's have their API version in "name"; the key is the name that everybody uses. */
    const char *inner = json_string_value(json_object_get(operation, "name"));
    if (!inner || strcmp(inner, own) != 0)
        json_object_set_new(operation, "name", json_string(own));
    *out = operation;
    return TAP_OK;
}

const json_t *tap_model_shape(const struct tap_model *model, const char *name)
{
    return value_of(model, TAP_MODEL_SHAPE, name);
}

/* ---- parts ---- */

static const json_t *collect(const struct tap_model *model, size_t i)
{
    size_t n;
    struct tap_model_entry *entries = tap_model_table_kind(&model->table, collections[i].kind, &n);
    if (n && !model->collected[i]) {
        json_t *all = model->collected[i] = json_object();
        for (size_t k = 0; k < n; k++)
            json_object_set(all, entries[k].name, tap_model_entry_value(&entries[k]));
    }
    return model->collected[i];
}

const json_t *tap_model_part(const struct tap_model *model, const char *part)
{
    if (strcmp(part, "partitions") == 0) {
        if (!kept.partitions)
            kept.partitions = tap_model_read_partitions();
        return kept.partitions;
    }
    assert(model);
    for (size_t i = 0; i < N_COLLECTIONS; i++)
        if (strcmp(part, collections[i].part) == 0)
            return collect(model, i);
    if (strcmp(part, "endpoint-rules") == 0)
        return value_of(model, TAP_MODEL_ENDPOINT_RULES, "");
    if (strcmp(part, "client-context-params") == 0)
        return json_object_get(value_of(model, TAP_MODEL_TOP, ""), "clientContextParams");
    return NULL;
}
