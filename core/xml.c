/*
 * XML by expat, into a tree. A document type is refused before anything in it is read: entities
 * that expand, or that name files, live there, and no AWS answer has one.
 */
#include "xml.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "doc.h"
#include "json.h"
#include "mem.h"

struct frame {
    struct tap_xml *element;
    struct tap_buf text;
    size_t cap; /* of the element's children */
};

struct reader {
    XML_Parser parser;
    struct tap_xml *root;
    struct frame frames[TAP_MAX_DEPTH];
    size_t depth, elements;
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

static void add_attributes(struct tap_xml *element, const char **pairs)
{
    size_t n = 0;
    while (pairs[2 * n])
        n++;
    element->attributes = n ? tap_calloc(n, sizeof *element->attributes) : NULL;
    element->n_attributes = n;
    for (size_t i = 0; i < n; i++) {
        element->attributes[i].name = tap_strdup(pairs[2 * i]);
        element->attributes[i].value = tap_strdup(pairs[2 * i + 1]);
    }
}

static void add_child(struct frame *parent, struct tap_xml *child)
{
    struct tap_xml *element = parent->element;
    element->children =
        tap_grow(element->children, element->n_children, &parent->cap, sizeof(struct tap_xml *));
    element->children[element->n_children++] = child;
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
    struct tap_xml *element = tap_alloc(sizeof *element);
    const char *colon = strchr(name, ':');
    element->name = tap_strdup(colon ? colon + 1 : name);
    add_attributes(element, attributes);
    if (reader->depth)
        add_child(&reader->frames[reader->depth - 1], element);
    else
        reader->root = element;
    struct frame *frame = &reader->frames[reader->depth++];
    frame->element = element;
    frame->cap = 0;
    tap_buf_init(&frame->text, TAP_MAX_DOCUMENT);
}

static void XMLCALL on_end(void *user, const char *name)
{
    struct reader *reader = user;
    (void)name;
    if (reader->code)
        return;
    struct frame *frame = &reader->frames[--reader->depth];
    frame->element->text = tap_buf_take(&frame->text, NULL);
}

static void XMLCALL on_text(void *user, const char *text, int len)
{
    struct reader *reader = user;
    if (!reader->code && reader->depth)
        tap_buf_add(&reader->frames[reader->depth - 1].text, text, (size_t)len);
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system_id,
                               const char *public_id, int internal)
{
    (void)name, (void)system_id, (void)public_id, (void)internal;
    stop(user, TAP_E_PARSE, "InvalidXML", "a document type (<!DOCTYPE) is not accepted");
}

/* Elements still open have no text yet. */
static void drop(struct reader *reader)
{
    while (reader->depth)
        tap_buf_fini(&reader->frames[--reader->depth].text);
    tap_xml_free(reader->root);
    reader->root = NULL;
}

tap_err tap_xml_parse(struct tap_xml **out, const char *text, size_t len, struct tap_error *err)
{
    *out = NULL;
    if (len > TAP_MAX_DOCUMENT)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the XML has %zu bytes; at most %d are read",
                        len, TAP_MAX_DOCUMENT);
    struct reader *reader = tap_alloc(sizeof *reader);
    reader->err = err;
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
        drop(reader);
    *out = reader->root;
    tap_free(reader);
    return code;
}

void tap_xml_free(struct tap_xml *xml)
{
    if (!xml)
        return;
    for (size_t i = 0; i < xml->n_children; i++)
        tap_xml_free(xml->children[i]);
    for (size_t i = 0; i < xml->n_attributes; i++) {
        tap_free(xml->attributes[i].name);
        tap_free(xml->attributes[i].value);
    }
    tap_free(xml->children);
    tap_free(xml->attributes);
    tap_free(xml->name);
    tap_free(xml->text);
    tap_free(xml);
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

void tap_xml_escape(struct tap_buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        switch (c) {
        case '&': tap_buf_puts(out, "&amp;"); break;
        case '<': tap_buf_puts(out, "&lt;"); break;
        case '>': tap_buf_puts(out, "&gt;"); break;
        case '"': tap_buf_puts(out, "&quot;"); break;
        case '\r': tap_buf_puts(out, "&#xD;"); break; /* a bare one is read back as a newline */
        default:
            if (c < 0x20 && c != '\t' && c != '\n')
                tap_buf_puts(out, "&#xFFFD;");
            else
                tap_buf_putc(out, (char)c);
        }
    }
}
