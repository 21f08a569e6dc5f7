/*
 * The entries of one service model, indexed by kind and name, parsed when they are first asked for.
 *
 * The text has an entry a line, "KIND TAB NAME TAB JSON" (vendor/README.md): a service has
 * thousands of entries and a call needs a dozen, so loading looks for tabs and line ends only.
 */
#ifndef TAP_MODEL_TABLE_H
#define TAP_MODEL_TABLE_H

#include <jansson.h>

#include "buf.h"

enum tap_model_kind {
    TAP_MODEL_TOP = 'M', /* one, without a name: metadata, clientContextParams */
    TAP_MODEL_OPERATION = 'O',
    TAP_MODEL_SHAPE = 'S',
    TAP_MODEL_WAITER = 'W',
    TAP_MODEL_PAGINATOR = 'P',
    TAP_MODEL_ENDPOINT_RULES = 'E' /* one, without a name */
};

struct tap_model_entry {
    const char *name;
    const char *json;
    size_t json_len;
    json_t *value; /* NULL until it is asked for */
    char kind;
};

struct tap_model_table {
    char *text;
    struct tap_model_entry *items; /* sorted by kind and name */
    size_t n, cap;
    struct tap_model_entry **recent; /* found lately, at a place by the address of the name: one
                                        reference is resolved again and again */
};

/* Takes `text`, `len` bytes that tap_model_line wrote or vendor/update-models did. Anything else is
 * misuse. */
void tap_model_table_init(struct tap_model_table *table, char *text, size_t len);
void tap_model_table_fini(struct tap_model_table *table);

/* The entries of a kind, in the order of their names; n may be 0. Borrowed. */
struct tap_model_entry *tap_model_table_kind(const struct tap_model_table *table,
                                             enum tap_model_kind kind, size_t *n);
/* NULL when there is no such entry. Borrowed. */
struct tap_model_entry *tap_model_table_find(const struct tap_model_table *table,
                                             enum tap_model_kind kind, const char *name);
/* The entry's JSON, parsed once; borrowed. */
json_t *tap_model_entry_value(struct tap_model_entry *entry);

/* Appends one entry's line. `name` has no tab and no line end. */
void tap_model_line(struct tap_buf *text, enum tap_model_kind kind, const char *name,
                    const json_t *value);

#endif
