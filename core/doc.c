/*
 * The tree of places beside a document's values. Only containers are nodes; a scalar's place is in
 * its entry, and a node that a YAML alias repeats is one node with many entries pointing at it. So
 * memory follows the text's length, not the number of values it expands to. Nodes, entries and
 * keys lie in an arena: a template has tens of thousands of small ones, and when its values are
 * given away, their memory is free in large pieces.
 */
#include "doc.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "doc_build.h"
#include "mem.h"

/* Objects larger than this are searched through a hash table. */
enum { INDEX_FROM = 16 };

/* Each is recorded with its whole path; a hostile text could ask for millions. */
enum { MAX_DUPLICATES = 1000 };

struct entry {
    const char *key; /* NULL in a list */
    struct tap_mark key_mark, mark;
    struct tap_node *node; /* NULL for a scalar */
};

struct tap_node {
    struct entry *entries; /* while it is open malloc's, then the arena's */
    size_t n, cap;
    json_t *index; /* key -> position in entries; NULL while small, or in a list */
    bool list;
    unsigned height;
    size_t size;           /* nodes below it, aliases expanded */
    struct tap_node *next; /* all nodes of a document, for their indexes */
};

struct tap_doc {
    json_t *root;
    struct entry top;
    struct tap_arena arena;
    struct tap_node *nodes;
    json_t *duplicates;
};

struct tap_build_frame {
    struct tap_node *node;
    struct tap_mark mark, key_mark;
    const char *key; /* announced, its value not yet complete */
};

json_t *tap_doc_root(const struct tap_doc *doc)
{
    return doc->root;
}

const json_t *tap_doc_duplicates(const struct tap_doc *doc)
{
    return doc->duplicates;
}

json_t *tap_doc_take_root(struct tap_doc *doc)
{
    json_t *root = doc->root;
    doc->root = NULL;
    return root;
}

static void drop_indexes(struct tap_doc *doc)
{
    for (struct tap_node *node = doc->nodes; node; node = node->next) {
        json_decref(node->index);
        node->index = NULL;
    }
}

void tap_doc_free(struct tap_doc *doc)
{
    if (!doc)
        return;
    drop_indexes(doc);
    tap_arena_free(&doc->arena);
    json_decref(doc->root);
    json_decref(doc->duplicates);
    tap_free(doc);
}

static void build_index(struct tap_node *node)
{
    node->index = json_object();
    for (size_t i = 0; i < node->n; i++)
        json_object_set_new_nocheck(node->index, node->entries[i].key, json_integer((json_int_t)i));
}

static struct entry *find(struct tap_node *node, const char *key)
{
    if (!node->index && node->n > INDEX_FROM)
        build_index(node);
    if (node->index) {
        const json_t *position = json_object_get(node->index, key);
        return position ? &node->entries[json_integer_value(position)] : NULL;
    }
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->entries[i].key, key) == 0)
            return &node->entries[i];
    return NULL;
}

static const struct entry *step(struct tap_node *node, const json_t *name)
{
    if (!node)
        return NULL;
    if (node->list) {
        json_int_t i = json_is_integer(name) ? json_integer_value(name) : -1;
        return i >= 0 && (size_t)i < node->n ? &node->entries[i] : NULL;
    }
    return json_is_string(name) ? find(node, json_string_value(name)) : NULL;
}

bool tap_doc_mark(const struct tap_doc *doc, const json_t *path, struct tap_mark *key,
                  struct tap_mark *value)
{
    const struct entry *at = &doc->top;
    bool found = true;
    for (size_t i = 0; found && i < json_array_size(path); i++) {
        const struct entry *inner = step(at->node, json_array_get(path, i));
        found = inner != NULL;
        at = found ? inner : at;
    }
    *key = at->key ? at->key_mark : at->mark;
    *value = at->mark;
    return found;
}

void tap_build_begin(struct tap_build *build)
{
    memset(build, 0, sizeof *build);
    build->doc = tap_alloc(sizeof *build->doc);
    build->doc->duplicates = json_array();
}

static struct tap_build_frame *top_frame(const struct tap_build *build)
{
    return build->depth ? &build->frames[build->depth - 1] : NULL;
}

bool tap_build_wants_key(const struct tap_build *build)
{
    const struct tap_build_frame *frame = top_frame(build);
    return frame && !frame->node->list && !frame->key;
}

static json_t *current_path(const struct tap_build *build)
{
    json_t *path = json_array();
    for (size_t i = 0; i < build->depth; i++) {
        const struct tap_build_frame *frame = &build->frames[i];
        json_array_append_new(path, frame->node->list ? json_integer((json_int_t)frame->node->n)
                                                      : json_string(frame->key));
    }
    return path;
}

void tap_build_key(struct tap_build *build, const char *key, size_t n, struct tap_mark mark)
{
    struct tap_build_frame *frame = top_frame(build);
    assert(tap_build_wants_key(build));
    frame->key = tap_arena_text(&build->doc->arena, key, n);
    frame->key_mark = mark;
    const struct entry *first = find(frame->node, frame->key);
    if (first && json_array_size(build->doc->duplicates) < MAX_DUPLICATES)
        json_array_append_new(build->doc->duplicates,
                              json_pack("{s:o, s:I, s:I, s:I}", "path", current_path(build), "line",
                                        (json_int_t)mark.line, "column", (json_int_t)mark.column,
                                        "first_line", (json_int_t)first->key_mark.line));
}

/* A place for one more entry of an open node. */
static struct entry *append(struct tap_node *node, const char *key)
{
    node->entries = tap_grow(node->entries, node->n, &node->cap, sizeof *node->entries);
    if (node->index)
        json_object_set_new_nocheck(node->index, key, json_integer((json_int_t)node->n));
    struct entry *entry = &node->entries[node->n++];
    memset(entry, 0, sizeof *entry);
    entry->key = key;
    return entry;
}

static void count(struct tap_node *parent, const struct tap_node *child)
{
    parent->size += 1 + (child ? child->size : 0);
    if (tap_node_height(child) >= parent->height)
        parent->height = tap_node_height(child) + 1;
}

/* A value is complete: it goes into the open container, or it is the root. */
static void put(struct tap_build *build, struct tap_node *node, struct tap_mark mark)
{
    struct tap_build_frame *frame = top_frame(build);
    struct entry *entry = &build->doc->top;
    build->total++;
    if (frame) {
        struct entry *old = frame->key ? find(frame->node, frame->key) : NULL;
        entry = old ? old : append(frame->node, frame->key);
        entry->key_mark = frame->key_mark;
        frame->key = NULL;
        count(frame->node, node);
    }
    entry->mark = mark;
    entry->node = node;
}

void tap_build_scalar(struct tap_build *build, struct tap_mark mark)
{
    put(build, NULL, mark);
}

void tap_build_shared(struct tap_build *build, struct tap_node *node, struct tap_mark mark)
{
    build->total += node ? node->size : 0;
    put(build, node, mark);
}

void tap_build_open(struct tap_build *build, bool list, struct tap_mark mark)
{
    build->frames = tap_grow(build->frames, build->depth, &build->cap, sizeof *build->frames);
    struct tap_build_frame *frame = &build->frames[build->depth++];
    memset(frame, 0, sizeof *frame);
    frame->mark = mark;
    frame->node = tap_arena_take(&build->doc->arena, sizeof *frame->node);
    *frame->node = (struct tap_node){.list = list, .height = 1, .next = build->doc->nodes};
    build->doc->nodes = frame->node;
}

/* Entries move to where they stay. */
static void settle(struct tap_doc *doc, struct tap_node *node)
{
    size_t size = node->n * sizeof *node->entries;
    struct entry *entries = tap_arena_take(&doc->arena, size);
    if (size > 0)
        memcpy(entries, node->entries, size);
    tap_free(node->entries);
    node->entries = entries;
    node->cap = node->n;
}

struct tap_node *tap_build_close(struct tap_build *build)
{
    struct tap_build_frame frame = *top_frame(build);
    assert(!frame.key);
    build->depth--;
    settle(build->doc, frame.node);
    put(build, frame.node, frame.mark);
    return frame.node;
}

unsigned tap_node_height(const struct tap_node *node)
{
    return node ? node->height : 0;
}

static void merge_from(struct tap_build *build, struct tap_node *into, const struct tap_node *from)
{
    for (size_t i = 0; from && !from->list && i < from->n; i++) {
        const struct entry *theirs = &from->entries[i];
        if (find(into, theirs->key))
            continue;
        struct entry *ours = append(into, theirs->key);
        ours->key_mark = theirs->key_mark;
        ours->mark = theirs->mark;
        ours->node = theirs->node;
        count(into, theirs->node);
        build->total += 1 + (theirs->node ? theirs->node->size : 0);
    }
}

void tap_build_merge(struct tap_build *build)
{
    struct tap_node *node = top_frame(build)->node;
    struct entry *merge = find(node, "<<");
    assert(merge);
    const struct tap_node *from = merge->node;
    memmove(merge, merge + 1, (size_t)(node->entries + node->n - (merge + 1)) * sizeof *merge);
    node->n--;
    json_decref(node->index); /* positions moved; find makes a new one */
    node->index = NULL;
    if (!from || !from->list)
        merge_from(build, node, from);
    else
        for (size_t i = 0; i < from->n; i++)
            merge_from(build, node, from->entries[i].node);
}

static void free_frames(struct tap_build *build)
{
    for (size_t i = 0; i < build->depth; i++)
        tap_free(build->frames[i].node->entries);
    tap_free(build->frames);
}

struct tap_doc *tap_build_end(struct tap_build *build, json_t *root)
{
    struct tap_doc *doc = build->doc;
    assert(build->depth == 0);
    doc->root = root;
    free_frames(build);
    drop_indexes(doc); /* they lie between the values; find makes them anew */
    return doc;
}

void tap_build_abort(struct tap_build *build)
{
    free_frames(build);
    tap_doc_free(build->doc);
}
