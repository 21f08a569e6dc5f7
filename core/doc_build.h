/*
 * How parsers make a struct tap_doc: they announce what they read, in the order of the text, and
 * the builder keeps the tree of places. Private to json.c and yaml.c.
 */
#ifndef TAP_DOC_BUILD_H
#define TAP_DOC_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "doc.h"

/* An object or a list with the places of what it holds. */
struct tap_node;

struct tap_build_frame;

struct tap_build {
    struct tap_doc *doc;
    struct tap_build_frame *frames; /* the containers that are open, outermost first */
    size_t depth, cap;
    size_t total; /* nodes so far, aliases expanded: the caller compares with TAP_MAX_NODES */
};

void tap_build_begin(struct tap_build *build);
/* True when an object is open and its next key has not been announced. */
bool tap_build_wants_key(const struct tap_build *build);
/* The key of the value that comes next. A key that the object has already is recorded as a
 * duplicate, and the new value replaces the old one. */
void tap_build_key(struct tap_build *build, const char *key, size_t n, struct tap_mark mark);
void tap_build_scalar(struct tap_build *build, struct tap_mark mark);
void tap_build_open(struct tap_build *build, bool list, struct tap_mark mark);
/* The closed container; it belongs to the document. */
struct tap_node *tap_build_close(struct tap_build *build);
/* An alias: what it stands for once more. `node` is NULL for a scalar. */
void tap_build_shared(struct tap_build *build, struct tap_node *node, struct tap_mark mark);
/* Resolves the open object's "<<" entry: what it holds moves in where no key of its own is. */
void tap_build_merge(struct tap_build *build);
/* Levels below a container, itself included; 0 for NULL. */
unsigned tap_node_height(const struct tap_node *node);

/* The finished document, which takes over `root`. */
struct tap_doc *tap_build_end(struct tap_build *build, json_t *root);
void tap_build_abort(struct tap_build *build);

#endif
