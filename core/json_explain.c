/*
 * Why a text is not JSON, for the person who wrote it: the place of the first token that does not
 * belong, what was found there and what would be right. It runs only after jansson has refused the
 * text, so it may be slow and it decides nothing.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "json_scan.h"
#include "text.h"

/* What may stand at a place. */
enum state { VALUE, FIRST_ITEM, FIRST_KEY, KEY, COLON, AFTER_VALUE };

struct explain {
    struct tap_json_scan scan;
    const char *file;
    struct tap_error *err;
    enum state state;
    int depth;
    struct {
        int bracket;
        struct tap_mark mark;
    } open[TAP_MAX_DEPTH];
    int last; /* the token before this one */
    struct tap_mark last_mark;
};

enum { SHOWN = 24 }; /* most bytes of a token that a message shows */

/* "found X" for the message: the token, cut where a character ends. */
static const char *shown(const struct explain *x, char *out, size_t size)
{
    int n = (int)(x->scan.len < SHOWN ? x->scan.len : SHOWN);
    const char *token = x->scan.token;
    while (n > 0 && (size_t)n < x->scan.len && ((unsigned char)token[n] & 0xC0) == 0x80)
        n--;
    if (!tap_utf8_valid(token, (size_t)n))
        snprintf(out, size, "a byte that is not UTF-8 text");
    else if (memchr(token, '\0', (size_t)n))
        snprintf(out, size, "a NUL byte");
    else
        snprintf(out, size, "%.*s%s", n, token, (size_t)n < x->scan.len ? "..." : "");
    return out;
}

static tap_err fail(struct explain *x, struct tap_mark mark, const char *message)
{
    return tap_fail_at(x->err, x->file, mark.line, mark.column, "InvalidJSON", "%s", message);
}

static tap_err fail_here(struct explain *x, const char *message)
{
    return fail(x, x->scan.mark, message);
}

static bool is_word(const struct explain *x, const char *word)
{
    return x->scan.len == strlen(word) && strncmp(x->scan.token, word, x->scan.len) == 0;
}

static bool starts(const struct explain *x, const char *prefix)
{
    size_t n = strlen(prefix);
    return x->scan.len >= n && memcmp(x->scan.token, prefix, n) == 0;
}

/* JSON's number grammar: -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)? */
static bool is_number(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    at += at < end && *at == '-';
    if (at == end || !isdigit((unsigned char)*at))
        return false;
    if (*at++ != '0')
        while (at < end && isdigit((unsigned char)*at))
            at++;
    if (at < end && *at == '.') {
        if (++at == end || !isdigit((unsigned char)*at))
            return false;
        while (at < end && isdigit((unsigned char)*at))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if (at == end)
            return false;
        while (at < end && isdigit((unsigned char)*at))
            at++;
    }
    return at == end;
}

/* Words that people write for a JSON value, and what is meant. */
static const struct {
    const char *word, *hint;
} misspelt[] = {
    {"True", "write true"},
    {"TRUE", "write true"},
    {"False", "write false"},
    {"FALSE", "write false"},
    {"None", "write null"},
    {"NULL", "write null"},
    {"Null", "write null"},
    {"nil", "write null"},
    {"undefined", "write null"},
    {"NaN", "JSON cannot carry it"},
    {"Infinity", "JSON cannot carry it"},
};

/* A word that cannot be a value (or, in a key's place, a key). */
static tap_err explain_word(struct explain *x, bool key)
{
    char token[64], message[256];
    shown(x, token, sizeof token);
    const char *hint =
        key ? "a key is a string in double quotes" : "a string is written in double quotes";
    char first = *x->scan.token;
    if (starts(x, "//") || starts(x, "/*") || first == '#')
        hint = "JSON has no comments";
    else if (first == '\'')
        hint = "strings are written in double quotes";
    else if (!key && (isdigit((unsigned char)first) || strchr("+-.", first)))
        hint = "it is not a number as JSON writes numbers (no leading zero or plus, digits on both "
               "sides of the point)";
    for (size_t i = 0; !key && i < sizeof misspelt / sizeof *misspelt; i++)
        if (is_word(x, misspelt[i].word))
            hint = misspelt[i].hint;
    snprintf(message, sizeof message, "found %s: %s", token, hint);
    return fail_here(x, message);
}

static tap_err check_word(struct explain *x)
{
    if (is_word(x, "true") || is_word(x, "false") || is_word(x, "null"))
        return TAP_OK;
    if (!is_number(x->scan.token, x->scan.len))
        return explain_word(x, false);
    if (x->scan.len < 19 && !memchr(x->scan.token, 'e', x->scan.len) &&
        !memchr(x->scan.token, 'E', x->scan.len))
        return TAP_OK; /* too short to be too large */
    json_t *number = json_loadb(x->scan.token, x->scan.len, JSON_DECODE_ANY, NULL);
    bool fits = number != NULL;
    json_decref(number);
    char token[64], message[256];
    snprintf(message, sizeof message,
             "the number %s is too large; write it as a string if it is an identifier",
             shown(x, token, sizeof token));
    return fits ? TAP_OK : fail_here(x, message);
}

/* Four hex digits after "\u", or -1. */
static long hex4(const char *at, const char *end)
{
    long value = 0;
    for (int i = 0; i < 4; i++, at++) {
        if (at >= end || !isxdigit((unsigned char)*at))
            return -1;
        int c = tolower((unsigned char)*at);
        value = value * 16 + (isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/* What is wrong with the escape at `at`, or NULL; sets its length. */
static const char *bad_escape(const char *at, const char *end, bool key, size_t *len)
{
    *len = 2;
    if (end - at < 2 || !strchr("\"\\/bfnrtu", at[1]) || !at[1])
        return "this escape is not known: after \\ comes one of \" \\ / b f n r t u; "
               "a backslash itself is written \\\\";
    if (at[1] != 'u')
        return NULL;
    *len = 6;
    long unit = hex4(at + 2, end);
    if (unit < 0)
        return "after \\u come four hexadecimal digits";
    if (unit == 0 && key)
        return "a key cannot hold the character \\u0000";
    if (unit < 0xD800 || unit > 0xDFFF)
        return NULL;
    *len = 12;
    bool paired = unit < 0xDC00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u';
    long low = paired ? hex4(at + 8, end) : -1;
    return low >= 0xDC00 && low <= 0xDFFF
               ? NULL
               : "this is one half of a surrogate pair; the other half is missing";
}

static tap_err check_string(struct explain *x, bool key)
{
    struct tap_json_scan inside; /* walks through the string's characters */
    tap_json_scan_init(&inside, x->scan.token, x->scan.len);
    inside.next = x->scan.mark;
    tap_json_scan_skip(&inside);
    while (inside.at < inside.end && *inside.at != '"') {
        unsigned char c = (unsigned char)*inside.at;
        size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        size_t left = (size_t)(inside.end - inside.at);
        const char *wrong = NULL;
        if (c == '\\')
            wrong = bad_escape(inside.at, inside.end, key, &len);
        else if (c == '\t')
            wrong = "a tab inside a string is written \\t";
        else if (c < 0x20)
            wrong = "a control character inside a string is written as an escape (\\n, \\u0001)";
        else if (len > left || !tap_utf8_valid(inside.at, len))
            wrong = "this byte is not UTF-8 text; save the file as UTF-8";
        if (wrong && !(c == '\\' && left < 2))
            return fail(x, inside.next, wrong);
        for (size_t i = 0; i < len && inside.at < inside.end; i++)
            tap_json_scan_skip(&inside);
    }
    if (inside.at == inside.end)
        return fail_here(x, "this string has no closing quote on its line (a line break inside a "
                            "string is written \\n)");
    return TAP_OK;
}

static tap_err explain_end(struct explain *x)
{
    char message[256];
    if (x->depth == 0)
        return fail_here(x, x->last ? "the text ends where a value belongs"
                                    : "the text is empty; it holds no JSON value");
    int bracket = x->open[x->depth - 1].bracket;
    snprintf(message, sizeof message,
             "the text ends, but the %s opened at line %u, column %u is "
             "not closed: '%c' is missing",
             bracket == '{' ? "object" : "list", x->open[x->depth - 1].mark.line,
             x->open[x->depth - 1].mark.column, bracket == '{' ? '}' : ']');
    return fail_here(x, message);
}

static tap_err unexpected(struct explain *x, int kind)
{
    char token[64], message[256];
    const char *closer = x->depth == 0                          ? NULL
                         : x->open[x->depth - 1].bracket == '{' ? "'}'"
                                                                : "']'";
    shown(x, token, sizeof token);
    if ((kind == '}' || kind == ']') && x->last == ',' && x->depth > 0)
        return fail(x, x->last_mark, "this comma has nothing after it; remove it");
    if (x->state == AFTER_VALUE && !closer)
        snprintf(message, sizeof message, "found %s after the end of the JSON value", token);
    else if (x->state == AFTER_VALUE && kind != ':' && kind != '}' && kind != ']')
        snprintf(message, sizeof message,
                 "found %s where ',' or %s belongs; is a comma missing before it?", token, closer);
    else if (x->state == AFTER_VALUE)
        snprintf(message, sizeof message, "found %s where ',' or %s belongs", token, closer);
    else if (x->state == COLON)
        snprintf(message, sizeof message, "found %s where ':' belongs after the key", token);
    else if (x->state == KEY || x->state == FIRST_KEY)
        snprintf(message, sizeof message,
                 "found %s where a key belongs (a string in double quotes)", token);
    else
        snprintf(message, sizeof message, "found %s where a value belongs", token);
    return fail_here(x, message);
}

static void opened(struct explain *x, int bracket)
{
    x->open[x->depth].bracket = bracket;
    x->open[x->depth++].mark = x->scan.mark;
    x->state = bracket == '{' ? FIRST_KEY : FIRST_ITEM;
}

/* One token. TAP_OK when it belongs where it stands. */
static tap_err step(struct explain *x, int kind)
{
    bool key = x->state == KEY || x->state == FIRST_KEY;
    bool value = x->state == VALUE || x->state == FIRST_ITEM;
    int bracket = x->depth ? x->open[x->depth - 1].bracket : 0;
    if (kind == TAP_JSON_END)
        return x->depth == 0 && x->state == AFTER_VALUE ? TAP_OK : explain_end(x);
    if ((kind == '}' && bracket == '{' && (x->state == FIRST_KEY || x->state == AFTER_VALUE)) ||
        (kind == ']' && bracket == '[' && (x->state == FIRST_ITEM || x->state == AFTER_VALUE))) {
        x->depth--;
        x->state = AFTER_VALUE;
        return TAP_OK;
    }
    if (kind == ',' && x->state == AFTER_VALUE && bracket) {
        x->state = bracket == '{' ? KEY : VALUE;
        return TAP_OK;
    }
    if (kind == ':' && x->state == COLON) {
        x->state = VALUE;
        return TAP_OK;
    }
    if ((kind == '{' || kind == '[') && value && x->depth < TAP_MAX_DEPTH) {
        opened(x, kind);
        return TAP_OK;
    }
    if (kind == TAP_JSON_STRING && (key || value)) {
        x->state = key ? COLON : AFTER_VALUE;
        return check_string(x, key);
    }
    if (kind == TAP_JSON_WORD && value) {
        x->state = AFTER_VALUE;
        return check_word(x);
    }
    bool comment = kind == TAP_JSON_WORD && (starts(x, "//") || starts(x, "/*") || starts(x, "#"));
    return comment || (kind == TAP_JSON_WORD && key) ? explain_word(x, key) : unexpected(x, kind);
}

tap_err tap_json_explain(const char *text, size_t len, const char *file, const char *fallback,
                         struct tap_error *err)
{
    struct explain x = {.file = file, .err = err, .state = VALUE};
    tap_json_scan_init(&x.scan, text, len);
    int kind;
    do {
        kind = tap_json_scan_next(&x.scan);
        if (step(&x, kind) != TAP_OK)
            return TAP_E_PARSE;
        x.last = kind;
        x.last_mark = x.scan.mark;
    } while (kind != TAP_JSON_END);
    return fail(&x, (struct tap_mark){1, 1}, fallback);
}
