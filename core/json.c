/*
 * JSON by jansson, with the core's limits and places. The depth limit is checked before jansson
 * sees the text, because what it accepts is later walked (and freed) by recursion.
 */
#include "json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc_build.h"
#include "json_scan.h"
#include "mem.h"

static void set_up_jansson(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    json_set_alloc_funcs(tap_alloc, tap_free);
    json_object_seed(0); /* from the operating system: keys come from outside */
}

static tap_err too_large(const char *file, size_t len, struct tap_error *err)
{
    tap_err code = tap_fail(err, TAP_E_LIMIT, "TooLarge",
                            "the text has %zu bytes; at most %d are read", len, TAP_MAX_DOCUMENT);
    if (err)
        tap_error_copy(err->file, sizeof err->file, file);
    return code;
}

/* The bracket that nests deeper than allowed, or NULL. Only brackets outside of strings count. */
static const char *too_deep(const char *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if ((c == '{' || c == '[') && ++depth > TAP_MAX_DEPTH)
            return text + i;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return NULL;
}

static tap_err refuse_depth(const char *text, const char *bracket, const char *file,
                            struct tap_error *err)
{
    struct tap_json_scan scan;
    tap_json_scan_init(&scan, text, (size_t)(bracket - text));
    while (scan.at < scan.end)
        tap_json_scan_skip(&scan);
    tap_fail_at(err, file, scan.next.line, scan.next.column, "TooDeep",
                "the values nest deeper than %d levels", TAP_MAX_DEPTH);
    if (err)
        err->code = TAP_E_LIMIT;
    return TAP_E_LIMIT;
}

static void skip_byte_order_mark(const char **text, size_t *len)
{
    if (*len >= 3 && memcmp(*text, "\xEF\xBB\xBF", 3) == 0) {
        *text += 3;
        *len -= 3;
    }
}

tap_err tap_json_parse(json_t **out, const char *text, size_t len, const char *file,
                       struct tap_error *err)
{
    set_up_jansson();
    *out = NULL;
    if (len > TAP_MAX_DOCUMENT)
        return too_large(file, len, err);
    skip_byte_order_mark(&text, &len);
    const char *bracket = too_deep(text, len);
    if (bracket)
        return refuse_depth(text, bracket, file, err);
    json_error_t why = {.text = "a NUL byte is not part of any JSON text"};
    if (!memchr(text, '\0', len)) /* jansson would skip some of them */
        *out = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    return *out ? TAP_OK : tap_json_explain(text, len, file, why.text, err);
}

/* A key's token is known to be a well-formed string; jansson resolves its escapes. */
static void announce_key(struct tap_build *build, const struct tap_json_scan *scan)
{
    if (!memchr(scan->token, '\\', scan->len)) {
        tap_build_key(build, scan->token + 1, scan->len - 2, scan->mark);
        return;
    }
    json_t *key = json_loadb(scan->token, scan->len, JSON_DECODE_ANY, NULL);
    tap_build_key(build, json_string_value(key), json_string_length(key), scan->mark);
    json_decref(key);
}

/* Walks text that jansson accepted and records where everything stands. False when there are too
 * many nodes. */
static bool record_places(struct tap_build *build, const char *text, size_t len)
{
    struct tap_json_scan scan;
    tap_json_scan_init(&scan, text, len);
    for (int kind; (kind = tap_json_scan_next(&scan)) != TAP_JSON_END;) {
        if (build->total > TAP_MAX_NODES)
            return false;
        if (kind == '{' || kind == '[')
            tap_build_open(build, kind == '[', scan.mark);
        else if (kind == '}' || kind == ']')
            tap_build_close(build);
        else if (kind == TAP_JSON_STRING && tap_build_wants_key(build))
            announce_key(build, &scan);
        else if (kind == TAP_JSON_STRING || kind == TAP_JSON_WORD)
            tap_build_scalar(build, scan.mark);
    }
    return true;
}

tap_err tap_json_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                          struct tap_error *err)
{
    json_t *root = NULL;
    *out = NULL;
    tap_err code = tap_json_parse(&root, text, len, file, err);
    if (code)
        return code;
    skip_byte_order_mark(&text, &len);
    struct tap_build build;
    tap_build_begin(&build);
    if (!record_places(&build, text, len)) {
        tap_build_abort(&build);
        json_decref(root);
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the document holds more than %d values",
                        TAP_MAX_NODES);
    }
    *out = tap_build_end(&build, root);
    return TAP_OK;
}

/* The fewest digits, from 15 to 17, that tell this number from every other double. */
static int digits_of(double number)
{
    for (int digits = 15; digits < 17; digits++) {
        char text[40];
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            return digits;
    }
    return 17;
}

/* jansson prints all numbers of a tree with one precision: the one that the neediest of them needs,
 * so that 0.1 stays 0.1 and no digit is lost. */
static int digits_needed(const json_t *value)
{
    int most = 15;
    if (json_is_real(value))
        return digits_of(json_real_value(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        int digits = digits_needed(json_array_get(value, i));
        most = digits > most ? digits : most;
    }
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at)) {
        int digits = digits_needed(json_object_iter_value(at));
        most = digits > most ? digits : most;
    }
    return most;
}

char *tap_json_print(const json_t *value)
{
    return tap_json_print_indented(value, 0);
}

char *tap_json_print_indented(const json_t *value, unsigned indent)
{
    set_up_jansson();
    size_t layout = indent ? JSON_INDENT((size_t)indent) : JSON_COMPACT;
    size_t precision = (size_t)digits_needed(value);
    char *text = json_dumps(value, layout | JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));
    assert(text); /* only a cycle, or a string that is not UTF-8, cannot be printed */
    return text;
}
