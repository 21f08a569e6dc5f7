/*
 * XML by expat, into a tree. A document type is refused before anything in it is read: entities
 * that expand, or that name files, live there, and no AWS answer has one.
 */
#include "xml.h"

#include <expat.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "doc.h"
#include "json.h"
#include "mem.h"

/* All of a tree lies in few pieces of memory that go together: an answer has thousands of elements.
 */
struct piece {
    struct piece *next;
    size_t used, size;
    max_align_t bytes[];
};

enum { PIECE = 64 * 1024 };

struct document {
    struct tap_xml root; /* first, so that its address is the document's */
    struct piece *pieces;
};

struct frame {
    struct tap_xml *element;
    size_t first_child; /* in the reader's list */
    size_t text;        /* where its text begins in the reader's buffer */
};

struct reader {
    XML_Parser parser;
    struct document *document;
    struct frame frames[TAP_MAX_DEPTH];
    size_t depth, elements;
    struct tap_xml **children; /* of the elements that are open, those of inner ones behind */
    size_t n_children, cap_children;
    struct tap_buf text; /* likewise */
    tap_err code;
    struct tap_error *err;
};

static const XML_Memory_Handling_Suite memory = {tap_alloc, tap_realloc, tap_free};

/* Stops the parser; the first reason is kept. */
static void stop(struct reader *reader, tap_err code, const char *name, const char *message)
{
    if (reader->code)
        return;
    reader->code = code;
    tap_fail_at(reader->err, NULL, (unsigned)XML_GetCurrentLineNumber(reader->parser),
                (unsigned)XML_GetCurrentColumnNumber(reader->parser) + 1, name, "%s", message);
    if (reader->err)
        reader->err->code = code;
    XML_StopParser(reader->parser, XML_FALSE);
}

static void stop_by_expat(struct reader *reader)
{
    char message[128];
    snprintf(message, sizeof message, "the XML is not well-formed: %s",
             XML_ErrorString(XML_GetErrorCode(reader->parser)));
    stop(reader, TAP_E_PARSE, "InvalidXML", message);
}

/* Memory of the document's, with its bytes zero. */
static void *carve(struct reader *reader, size_t n)
{
    struct piece *piece = reader->document->pieces;
    n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!piece || piece->size - piece->used < n) {
        size_t size = n > PIECE ? n : PIECE;
        piece = tap_alloc(sizeof *piece + size);
        piece->size = size;
        piece->next = reader->document->pieces;
        reader->document->pieces = piece;
    }
    void *memory_of_it = (char *)piece->bytes + piece->used;
    piece->used += n;
    return memory_of_it;
}

static char *carve_text(struct reader *reader, const char *text, size_t n)
{
    char *copy = carve(reader, n + 1);
    if (n)
        memcpy(copy, text, n);
    return copy;
}

static void add_attributes(struct reader *reader, struct tap_xml *element, const char **pairs)
{
    size_t n = 0;
    while (pairs[2 * n])
        n++;
    if (!n)
        return;
    element->attributes = carve(reader, n * sizeof *element->attributes);
    element->n_attributes = n;
    for (size_t i = 0; i < n; i++) {
        const char *name = pairs[2 * i], *value = pairs[2 * i + 1];
        element->attributes[i].name = carve_text(reader, name, strlen(name));
        element->attributes[i].value = carve_text(reader, value, strlen(value));
    }
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes)
{
    struct reader *reader = user;
    if (reader->code)
        return;
    if (reader->depth == TAP_MAX_DEPTH) {
        stop(reader, TAP_E_LIMIT, "TooDeep", "the elements nest deeper than 256 levels");
        return;
    }
    if (++reader->elements > TAP_MAX_NODES) {
        stop(reader, TAP_E_LIMIT, "TooLarge", "the document holds more than 2000000 elements");
        return;
    }
    struct tap_xml *element =
        reader->depth ? carve(reader, sizeof *element) : &reader->document->root;
    const char *colon = strchr(name, ':');
    const char *local = colon ? colon + 1 : name;
    element->name = carve_text(reader, local, strlen(local));
    add_attributes(reader, element, attributes);
    reader->frames[reader->depth++] = (struct frame){
        .element = element, .first_child = reader->n_children, .text = reader->text.len};
}

/* The element's children and text are complete: they move into the document. */
static void XMLCALL on_end(void *user, const char *name)
{
    struct reader *reader = user;
    (void)name;
    if (reader->code)
        return;
    const struct frame *frame = &reader->frames[--reader->depth];
    struct tap_xml *element = frame->element;
    element->text = carve_text(reader, tap_buf_text(&reader->text) + frame->text,
                               reader->text.len - frame->text);
    tap_buf_cut(&reader->text, frame->text);
    element->n_children = reader->n_children - frame->first_child;
    if (element->n_children) {
        size_t size = element->n_children * sizeof(struct tap_xml *);
        element->children = carve(reader, size);
        memcpy(element->children, reader->children + frame->first_child, size);
        reader->n_children = frame->first_child;
    }
    reader->children = tap_grow(reader->children, reader->n_children, &reader->cap_children,
                                sizeof(struct tap_xml *));
    reader->children[reader->n_children++] = element;
}

static void XMLCALL on_text(void *user, const char *text, int len)
{
    struct reader *reader = user;
    if (!reader->code && reader->depth)
        tap_buf_add(&reader->text, text, (size_t)len);
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system_id,
                               const char *public_id, int internal)
{
    (void)name, (void)system_id, (void)public_id, (void)internal;
    stop(user, TAP_E_PARSE, "InvalidXML", "a document type (<!DOCTYPE) is not accepted");
}

tap_err tap_xml_parse(struct tap_xml **out, const char *text, size_t len, struct tap_error *err)
{
    *out = NULL;
    if (len > TAP_MAX_DOCUMENT)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the XML has %zu bytes; at most %d are read",
                        len, TAP_MAX_DOCUMENT);
    struct reader *reader = tap_alloc(sizeof *reader);
    reader->err = err;
    reader->document = tap_alloc(sizeof *reader->document);
    tap_buf_init(&reader->text, TAP_MAX_DOCUMENT);
    reader->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    if (XML_Parse(reader->parser, text, (int)len, 1) != XML_STATUS_OK)
        stop_by_expat(reader);
    XML_ParserFree(reader->parser);
    tap_err code = reader->code;
    if (code)
        tap_xml_free(&reader->document->root);
    else
        *out = &reader->document->root;
    tap_buf_fini(&reader->text);
    tap_free(reader->children);
    tap_free(reader);
    return code;
}

void tap_xml_free(struct tap_xml *root)
{
    struct document *document = (struct document *)root;
    if (!document)
        return;
    for (struct piece *piece = document->pieces, *next; piece; piece = next) {
        next = piece->next;
        tap_free(piece);
    }
    tap_free(document);
}

const struct tap_xml *tap_xml_child(const struct tap_xml *xml, const char *name)
{
    for (size_t i = 0; i < xml->n_children; i++)
        if (strcmp(xml->children[i]->name, name) == 0)
            return xml->children[i];
    return NULL;
}

const char *tap_xml_child_text(const struct tap_xml *xml, const char *name)
{
    const struct tap_xml *child = tap_xml_child(xml, name);
    return child ? child->text : NULL;
}

/* What stands for a byte that XML does not take as it is; NULL for the others. */
static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\r': return "&#xD;"; /* a bare one is read back as a newline */
    default: return c < 0x20 && c != '\t' && c != '\n' ? "&#xFFFD;" : NULL;
    }
}

void tap_xml_escape(struct tap_buf *out, const char *text, size_t n)
{
    size_t done = 0; /* so much is in `out`: what needs no escape goes there in one piece */
    for (size_t i = 0; i < n; i++) {
        const char *escape = escape_of((unsigned char)text[i]);
        if (!escape)
            continue;
        tap_buf_add(out, text + done, i - done);
        tap_buf_puts(out, escape);
        done = i + 1;
    }
    tap_buf_add(out, text + done, n - done);
}
