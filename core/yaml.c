/*
 * YAML by libyaml's event parser. Containers that are open stand on a stack of their own, so that
 * nesting costs no C stack; an alias shares the value that it names, and what it would expand to is
 * counted, so that a few lines cannot ask for a billion nodes.
 */
#include "yaml.h"

#include <stdio.h>
#include <string.h>

#include "doc_build.h"
#include "json.h"
#include "mem.h"
#include "yaml_error.h" /* and libyaml's own header */
#include "yaml_scalar.h"
#include "yaml_tag.h"

static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

/* A container under construction. */
struct frame {
    json_t *value;
    char *key;             /* of a mapping: its value comes next */
    char *anchor;          /* the container's name, NULL for none */
    bool wraps;            /* {"Fn::Sub": ...} around one value: closes with it */
    struct tap_mark merge; /* of a plain "<<" among the keys; line 0: there is none */
};

struct anchor {
    json_t *value;
    struct tap_node *node; /* NULL for a scalar */
};

struct loader {
    yaml_parser_t parser;
    const char *text, *file;
    size_t len;
    struct tap_build build; /* one open container there for each frame here */
    struct frame *frames;
    size_t depth, cap;
    struct anchor *anchors;
    size_t n_anchors, anchors_cap;
    json_t *anchor_index; /* name -> position in anchors; the latest of a name counts */
    json_t *root;
    int documents;
    struct tap_error *err;
};

static struct tap_mark mark_of(const yaml_event_t *event)
{
    return (struct tap_mark){(uint32_t)event->start_mark.line + 1,
                             (uint32_t)event->start_mark.column + 1};
}

static tap_err fail_at(struct loader *loader, const yaml_event_t *event, const char *name,
                       const char *message)
{
    struct tap_mark mark = mark_of(event);
    return tap_fail_at(loader->err, loader->file, mark.line, mark.column, name, "%s", message);
}

static tap_err over_limit(struct loader *loader, const yaml_event_t *event, const char *name,
                          const char *message)
{
    fail_at(loader, event, name, message);
    if (loader->err)
        loader->err->code = TAP_E_LIMIT;
    return TAP_E_LIMIT;
}

static tap_err check_limits(struct loader *loader, const yaml_event_t *event)
{
    if (loader->build.total > TAP_MAX_NODES)
        return over_limit(
            loader, event, "TooLarge",
            "the document, with its aliases expanded, holds more than 2000000 values");
    return TAP_OK;
}

static struct frame *top_frame(const struct loader *loader)
{
    return loader->depth ? &loader->frames[loader->depth - 1] : NULL;
}

static void set_anchor(struct loader *loader, const char *name, json_t *value,
                       struct tap_node *node)
{
    loader->anchors =
        tap_grow(loader->anchors, loader->n_anchors, &loader->anchors_cap, sizeof *loader->anchors);
    loader->anchors[loader->n_anchors] = (struct anchor){json_incref(value), node};
    json_object_set_new(loader->anchor_index, name, json_integer((json_int_t)loader->n_anchors++));
}

static const struct anchor *get_anchor(const struct loader *loader, const char *name)
{
    const json_t *position = json_object_get(loader->anchor_index, name);
    return position ? &loader->anchors[json_integer_value(position)] : NULL;
}

/* The value goes where it belongs; takes it over. */
static void attach(struct loader *loader, json_t *value)
{
    struct frame *frame = top_frame(loader);
    if (!frame) {
        loader->root = value;
    } else if (frame->key) {
        json_object_set_new(frame->value, frame->key, value);
        tap_free(frame->key);
        frame->key = NULL;
    } else {
        json_array_append_new(frame->value, value);
    }
}

/* Opens a container; takes `anchor` over. */
static tap_err open_frame(struct loader *loader, const yaml_event_t *event, bool list, char *anchor)
{
    if (loader->depth == TAP_MAX_DEPTH) {
        tap_free(anchor);
        return over_limit(loader, event, "TooDeep", "the values nest deeper than 256 levels");
    }
    loader->frames = tap_grow(loader->frames, loader->depth, &loader->cap, sizeof *loader->frames);
    loader->frames[loader->depth++] =
        (struct frame){.value = list ? json_array() : json_object(), .anchor = anchor};
    tap_build_open(&loader->build, list, mark_of(event));
    return TAP_OK;
}

static void set_key(struct loader *loader, const char *key, size_t n, struct tap_mark mark)
{
    top_frame(loader)->key = tap_strndup(key, n);
    tap_build_key(&loader->build, key, n, mark);
}

static void close_frame(struct loader *loader)
{
    struct frame frame = loader->frames[--loader->depth];
    struct tap_node *node = tap_build_close(&loader->build);
    if (frame.anchor)
        set_anchor(loader, frame.anchor, frame.value, node);
    tap_free(frame.anchor);
    attach(loader, frame.value);
}

/* A value is complete: the short forms around it are, too. */
static void close_wrappers(struct loader *loader)
{
    while (loader->depth && top_frame(loader)->wraps)
        close_frame(loader);
}

static tap_err unknown_tag(struct loader *loader, const yaml_event_t *event, const char *tag)
{
    char message[256];
    const char *nearest = tap_yaml_nearest_short_form(tag);
    if (nearest)
        snprintf(message, sizeof message, "%.80s is not a short form (did you mean !%s?)", tag,
                 nearest);
    else
        snprintf(message, sizeof message, "%.80s is not a short form of CloudFormation's functions",
                 tag);
    return fail_at(loader, event, "UnknownTag", message);
}

/* Opens {"Fn::X": around the value that `event` begins; takes `anchor` over. */
static tap_err open_wrapper(struct loader *loader, const yaml_event_t *event, const char *tag,
                            char *anchor)
{
    char *name = tap_yaml_function(tag);
    if (!name) {
        tap_free(anchor);
        return unknown_tag(loader, event, tag);
    }
    tap_err code = open_frame(loader, event, false, anchor);
    if (!code) {
        top_frame(loader)->wraps = true;
        set_key(loader, name, strlen(name), mark_of(event));
    }
    tap_free(name);
    return code;
}

static tap_err add_value(struct loader *loader, const yaml_event_t *event, json_t *value,
                         char *anchor)
{
    if (!value) {
        tap_free(anchor);
        return fail_at(loader, event, "InvalidYAML", "this value does not fit its !!tag");
    }
    tap_build_scalar(&loader->build, mark_of(event));
    if (anchor)
        set_anchor(loader, anchor, value, NULL);
    tap_free(anchor);
    attach(loader, value);
    close_wrappers(loader);
    return check_limits(loader, event);
}

/* The argument of a short form: a scalar, or the list that GetAtt makes of it. */
static tap_err add_argument(struct loader *loader, const yaml_event_t *event, const char *tag)
{
    const char *text = (const char *)event->data.scalar.value;
    json_t *value = tap_yaml_argument(tag, text, event->data.scalar.length);
    size_t n = json_array_size(value);
    if (!json_is_array(value))
        return add_value(loader, event, value, NULL);
    tap_err code = open_frame(loader, event, true, NULL);
    for (size_t i = 0; i < n && !code; i++)
        code = add_value(loader, event, json_incref(json_array_get(value, i)), NULL);
    json_decref(value);
    if (!code) {
        close_frame(loader);
        close_wrappers(loader);
    }
    return code;
}

static tap_err on_key(struct loader *loader, const yaml_event_t *event)
{
    const char *key = (const char *)event->data.scalar.value,
               *tag = (const char *)event->data.scalar.tag;
    size_t n = event->data.scalar.length;
    if (tag && !tap_yaml_standard_tag(tag))
        return fail_at(loader, event, "InvalidYAML", "a key cannot be a function");
    if (memchr(key, '\0', n))
        return fail_at(loader, event, "InvalidYAML", "a key cannot hold the character \\0");
    if (event->data.scalar.anchor) {
        json_t *value = json_stringn(key, n);
        set_anchor(loader, (const char *)event->data.scalar.anchor, value, NULL);
        json_decref(value);
    }
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && n == 2 && memcmp(key, "<<", 2) == 0)
        top_frame(loader)->merge = mark_of(event);
    set_key(loader, key, n, mark_of(event));
    return TAP_OK;
}

static tap_err on_scalar(struct loader *loader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    size_t n = event->data.scalar.length;
    if (tap_build_wants_key(&loader->build))
        return on_key(loader, event);
    char *anchor = tap_strdup((const char *)event->data.scalar.anchor);
    if (!tag)
        return add_value(loader, event,
                         event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                             ? tap_yaml_plain(text, n)
                             : json_stringn(text, n),
                         anchor);
    if (tap_yaml_standard_tag(tag))
        return add_value(loader, event, tap_yaml_tagged(tap_yaml_standard_tag(tag), text, n),
                         anchor);
    tap_err code = open_wrapper(loader, event, tag, anchor);
    return code ? code : add_argument(loader, event, tag);
}

static tap_err on_container(struct loader *loader, const yaml_event_t *event, bool list)
{
    const char *tag =
        (const char *)(list ? event->data.sequence_start.tag : event->data.mapping_start.tag);
    char *anchor = tap_strdup((const char *)(list ? event->data.sequence_start.anchor
                                                  : event->data.mapping_start.anchor));
    const char *standard = tag ? tap_yaml_standard_tag(tag) : NULL;
    if (tap_build_wants_key(&loader->build)) {
        tap_free(anchor);
        return fail_at(loader, event, "InvalidYAML", "a key must be plain text");
    }
    if (standard && strcmp(tag, "!") != 0 && strcmp(standard, list ? "seq" : "map") != 0) {
        tap_free(anchor);
        return fail_at(loader, event, "InvalidYAML", "this !!tag is not accepted here");
    }
    if (tag && !standard) {
        tap_err code = open_wrapper(loader, event, tag, anchor);
        if (code)
            return code;
        anchor = NULL; /* it names the whole short form */
    }
    return open_frame(loader, event, list, anchor);
}

/* Copies members of `from` that `into` has not. False when `from` is not a mapping. */
static bool merge_members(json_t *into, json_t *from)
{
    const char *key;
    json_t *value;
    json_object_foreach(from, key, value) if (!json_object_get(into, key))
        json_object_set(into, key, value);
    return json_is_object(from);
}

/* "<<: *defaults" or "<<: [*a, *b]": what the mapping itself says wins, then the earlier one. */
static tap_err resolve_merge(struct loader *loader, const yaml_event_t *event)
{
    json_t *into = top_frame(loader)->value;
    json_t *from = json_incref(json_object_get(into, "<<"));
    bool fits = true;
    size_t i;
    json_t *one;
    json_object_del(into, "<<");
    if (json_is_array(from))
        json_array_foreach(from, i, one) fits = merge_members(into, one) && fits;
    else
        fits = merge_members(into, from);
    tap_build_merge(&loader->build);
    json_decref(from);
    if (fits)
        return check_limits(loader, event);
    struct tap_mark mark = top_frame(loader)->merge;
    return tap_fail_at(loader->err, loader->file, mark.line, mark.column, "InvalidYAML",
                       "\"<<\" must name a mapping, or a list of mappings");
}

static tap_err on_end(struct loader *loader, const yaml_event_t *event)
{
    tap_err code = top_frame(loader)->merge.line ? resolve_merge(loader, event) : TAP_OK;
    if (code)
        return code;
    close_frame(loader);
    close_wrappers(loader);
    return check_limits(loader, event);
}

static tap_err on_alias(struct loader *loader, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = get_anchor(loader, name);
    char message[200];
    snprintf(message, sizeof message,
             "there is no anchor &%.60s before this; a text that begins with '*' needs quotes",
             name);
    if (!anchor)
        return fail_at(loader, event, "InvalidYAML", message);
    if (tap_build_wants_key(&loader->build)) {
        if (!json_is_string(anchor->value))
            return fail_at(loader, event, "InvalidYAML", "a key must be plain text");
        set_key(loader, json_string_value(anchor->value), json_string_length(anchor->value),
                mark_of(event));
        return TAP_OK;
    }
    if (loader->depth + tap_node_height(anchor->node) > TAP_MAX_DEPTH)
        return over_limit(loader, event, "TooDeep",
                          "the values, with aliases expanded, nest deeper than 256 levels");
    tap_build_shared(&loader->build, anchor->node, mark_of(event));
    attach(loader, json_incref(anchor->value));
    close_wrappers(loader);
    return check_limits(loader, event);
}

static tap_err on_event(struct loader *loader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return loader->documents++ ? fail_at(loader, event, "InvalidYAML",
                                             "a second document begins here; a file holds one")
                                   : TAP_OK;
    case YAML_SCALAR_EVENT: return on_scalar(loader, event);
    case YAML_SEQUENCE_START_EVENT: return on_container(loader, event, true);
    case YAML_MAPPING_START_EVENT: return on_container(loader, event, false);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(loader, event);
    case YAML_ALIAS_EVENT: return on_alias(loader, event);
    default: return TAP_OK;
    }
}

static tap_err load(struct loader *loader)
{
    tap_err code = TAP_OK;
    bool end = false;
    while (!code && !end) {
        yaml_event_t event;
        if (!yaml_parser_parse(&loader->parser, &event))
            return tap_yaml_explain(&loader->parser, loader->text, loader->len, loader->file,
                                    loader->err);
        code = on_event(loader, &event);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    if (!code && !loader->root) { /* nothing but comments */
        loader->root = json_null();
        tap_build_scalar(&loader->build, (struct tap_mark){1, 1});
    }
    return code;
}

static void free_loader(struct loader *loader)
{
    for (size_t i = 0; i < loader->depth; i++) {
        json_decref(loader->frames[i].value);
        tap_free(loader->frames[i].key);
        tap_free(loader->frames[i].anchor);
    }
    for (size_t i = 0; i < loader->n_anchors; i++)
        json_decref(loader->anchors[i].value);
    tap_free(loader->frames);
    tap_free(loader->anchors);
    json_decref(loader->anchor_index);
    yaml_parser_delete(&loader->parser);
}

tap_err tap_yaml_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                          struct tap_error *err)
{
    *out = NULL;
    if (len > TAP_MAX_DOCUMENT)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the text has %zu bytes; at most %d are read",
                        len, TAP_MAX_DOCUMENT);
    if (len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
        text += 3;
        len -= 3;
    }
    struct loader loader = {.text = text, .len = len, .file = file, .err = err};
    if (!yaml_parser_initialize(&loader.parser))
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "no memory for the YAML parser");
    yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING); /* it would take UTF-16, too */
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)text, len);
    loader.anchor_index = json_object();
    tap_build_begin(&loader.build);
    tap_err code = load(&loader);
    if (code) {
        tap_build_abort(&loader.build);
        json_decref(loader.root);
    } else {
        *out = tap_build_end(&loader.build, loader.root);
    }
    free_loader(&loader);
    return code;
}

tap_err tap_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                     struct tap_error *err)
{
    size_t i = len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    while (i < len && text[i] && strchr(" \t\r\n", text[i]))
        i++;
    bool json = i < len && (text[i] == '{' || text[i] == '[');
    return json ? tap_json_document(out, text, len, file, err)
                : tap_yaml_document(out, text, len, file, err);
}
