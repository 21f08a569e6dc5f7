/*
 * A parsed document: its values, and the line and column of every node. Errors and lint findings
 * point into the user's file, so places are kept from the start, in a tree beside the values.
 *
 * What a YAML alias stands for is shared, not copied: treat the values as read-only.
 */
#ifndef TAP_DOC_H
#define TAP_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { TAP_MAX_NODES = 2 * 1000 * 1000 }; /* of one document, after aliases are expanded */

struct tap_mark {
    uint32_t line, column; /* 1-based, columns in characters */
};

struct tap_doc;

/* Borrowed; NULL after tap_doc_take_root. */
json_t *tap_doc_root(const struct tap_doc *doc);
/* The values become the caller's; the places stay. */
json_t *tap_doc_take_root(struct tap_doc *doc);
/* The place of the node at `path`, an array of keys and (0-based) indexes; of its value and of its
 * key (for a list element or the root: the value's place again). Keys are as in the values: !Ref's
 * node is {"Ref": ...} and both of its marks are the tag's. False when there is no such node; then
 * the marks are of the deepest one that is there. */
bool tap_doc_mark(const struct tap_doc *doc, const json_t *path, struct tap_mark *key,
                  struct tap_mark *value);
/* Keys that stand twice in one mapping: a list of {path: [...], line, column, first_line}, the
 * first thousand of them. Borrowed. */
const json_t *tap_doc_duplicates(const struct tap_doc *doc);
void tap_doc_free(struct tap_doc *doc);

#endif
