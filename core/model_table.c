/*
 * The index over a model's lines. See model_table.h.
 */
#include "model_table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"

enum { RECENT = 256 };

static int by_kind_and_name(const void *a, const void *b)
{
    const struct tap_model_entry *left = a, *right = b;
    return left->kind != right->kind ? left->kind - right->kind : strcmp(left->name, right->name);
}

/* Splits the line in place: the tab after the name becomes a NUL. */
static void add_line(struct tap_model_table *table, char *line, char *end)
{
    assert(end - line > 2 && line[1] == '\t');
    char *name = line + 2;
    char *tab = memchr(name, '\t', (size_t)(end - name));
    assert(tab);
    *tab = '\0';
    table->items = tap_grow(table->items, table->n, &table->cap, sizeof *table->items);
    table->items[table->n++] = (struct tap_model_entry){
        .name = name, .json = tab + 1, .json_len = (size_t)(end - tab - 1), .kind = line[0]};
}

void tap_model_table_init(struct tap_model_table *table, char *text, size_t len)
{
    *table = (struct tap_model_table){.text = text};
    table->recent = tap_calloc(RECENT, sizeof(struct tap_model_entry *));
    char *end = text + len;
    for (char *line = text, *stop; line < end; line = stop + 1) {
        stop = memchr(line, '\n', (size_t)(end - line));
        assert(stop);
        add_line(table, line, stop);
    }
    if (table->n)
        qsort(table->items, table->n, sizeof *table->items, by_kind_and_name);
}

void tap_model_table_fini(struct tap_model_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        json_decref(table->items[i].value);
    tap_free(table->items);
    tap_free(table->recent);
    tap_free(table->text);
    *table = (struct tap_model_table){0};
}

/* The index of the first entry that does not stand before (kind, name). */
static size_t lower_bound(const struct tap_model_table *table, enum tap_model_kind kind,
                          const char *name)
{
    const struct tap_model_entry wanted = {.name = name, .kind = (char)kind};
    size_t low = 0, high = table->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_kind_and_name(&table->items[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct tap_model_entry *tap_model_table_kind(const struct tap_model_table *table,
                                             enum tap_model_kind kind, size_t *n)
{
    size_t first = lower_bound(table, kind, "");
    size_t end = first;
    while (end < table->n && table->items[end].kind == (char)kind)
        end++;
    *n = end - first;
    return table->items + first;
}

static bool is_entry(const struct tap_model_entry *entry, enum tap_model_kind kind,
                     const char *name)
{
    return entry->kind == (char)kind && strcmp(entry->name, name) == 0;
}

struct tap_model_entry *tap_model_table_find(const struct tap_model_table *table,
                                             enum tap_model_kind kind, const char *name)
{
    struct tap_model_entry **recent = &table->recent[(uintptr_t)name / 8 % RECENT];
    if (*recent && is_entry(*recent, kind, name))
        return *recent;
    size_t i = lower_bound(table, kind, name);
    if (i == table->n || !is_entry(&table->items[i], kind, name))
        return NULL;
    return *recent = &table->items[i];
}

json_t *tap_model_entry_value(struct tap_model_entry *entry)
{
    if (!entry->value)
        tap_json_parse(&entry->value, entry->json, entry->json_len, entry->name, NULL);
    assert(entry->value); /* our own text: tap_model_line printed it, or the tests walk it */
    return entry->value;
}

void tap_model_line(struct tap_buf *text, enum tap_model_kind kind, const char *name,
                    const json_t *value)
{
    char *json = tap_json_print(value);
    tap_buf_printf(text, "%c\t%s\t", kind, name);
    tap_buf_puts(text, json);
    tap_buf_putc(text, '\n');
    tap_free(json);
}
