/*
 * Splitting a JMESPath expression into tokens, and what the quoted ones stand for. Tokens are spans
 * of the text, read one at a time, so that of two mistakes the first one is told.
 */
#include "jmespath_lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "jmespath.h"
#include "json.h"

/* ---- errors with a place ---- */

tap_err tap_jp_fail(const char *text, size_t at, tap_err code, const char *name,
                    struct tap_error *err, const char *format, ...)
{
    if (!err)
        return code;
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column += ((unsigned char)text[i] & 0xC0) != 0x80;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    char what[sizeof err->message], where[32] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (line > 1)
        snprintf(where, sizeof where, "line %u, ", line);
    tap_fail(err, code, name, "at %scolumn %u: %s", where, column, what);
    err->line = line;
    err->column = column;
    return code;
}

static tap_err syntax(const char *text, size_t at, struct tap_error *err, const char *message)
{
    return tap_jp_fail(text, at, TAP_E_PARSE, "syntax", err, "%s", message);
}

/* ---- tokens ---- */

/* The longer of two with the same start comes first. */
static const struct sign {
    char text[3];
    enum tap_jp_token_kind kind;
} signs[] = {
    {"||", TAP_JP_T_OR},           {"|", TAP_JP_T_PIPE},
    {"&&", TAP_JP_T_AND},          {"&", TAP_JP_T_REF},
    {"==", TAP_JP_T_EQUAL},        {"!=", TAP_JP_T_NOT_EQUAL},
    {"!", TAP_JP_T_NOT},           {"<=", TAP_JP_T_LESS_EQUAL},
    {"<", TAP_JP_T_LESS},          {">=", TAP_JP_T_GREATER_EQUAL},
    {">", TAP_JP_T_GREATER},       {"[]", TAP_JP_T_FLATTEN},
    {"[?", TAP_JP_T_OPEN_FILTER},  {"[", TAP_JP_T_OPEN_BRACKET},
    {"]", TAP_JP_T_CLOSE_BRACKET}, {"{", TAP_JP_T_OPEN_BRACE},
    {"}", TAP_JP_T_CLOSE_BRACE},   {"(", TAP_JP_T_OPEN_PAREN},
    {")", TAP_JP_T_CLOSE_PAREN},   {".", TAP_JP_T_DOT},
    {",", TAP_JP_T_COMMA},         {":", TAP_JP_T_COLON},
    {"*", TAP_JP_T_STAR},          {"@", TAP_JP_T_CURRENT},
};

/* What the three kinds of quotes are called when the closing one misses. */
static const struct quotes {
    char quote;
    enum tap_jp_token_kind kind;
    const char *unclosed;
} quotes[] = {
    {'"', TAP_JP_T_QUOTED, "this quoted name has no closing '\"'"},
    {'\'', TAP_JP_T_RAW, "this string has no closing \"'\""},
    {'`', TAP_JP_T_LITERAL, "this literal has no closing '`'"},
};

static bool is_name(char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!first && c >= '0' && c <= '9');
}

static tap_err lex_quoted(struct tap_jp_token *token, const char *text, const struct quotes *quote,
                          struct tap_error *err)
{
    const char *p = text + token->at + 1;
    while (*p && *p != quote->quote)
        p += *p == '\\' && p[1] ? 2 : 1;
    if (!*p)
        return syntax(text, token->at, err, quote->unclosed);
    token->kind = quote->kind;
    token->len = (size_t)(p - text) + 1 - token->at;
    return TAP_OK;
}

static tap_err lex_number(struct tap_jp_token *token, const char *text, struct tap_error *err)
{
    const char *p = text + token->at, *digits = p + (*p == '-');
    token->kind = TAP_JP_T_NUMBER;
    token->len = (size_t)(digits - p) + strspn(digits, "0123456789");
    if (p + token->len == digits)
        return syntax(text, token->at, err, "a '-' belongs in front of the digits of an index");
    return TAP_OK;
}

static tap_err lex_other(const char *text, size_t at, struct tap_error *err)
{
    if (text[at] == '=')
        return syntax(text, at, err, "a single '=' has no meaning; '==' compares");
    int n = 1;
    while (((unsigned char)text[at + (size_t)n] & 0xC0) == 0x80)
        n++;
    if (iscntrl((unsigned char)text[at]))
        return tap_jp_fail(text, at, TAP_E_PARSE, "syntax", err,
                           "the control character %d has no place outside of quotes", text[at]);
    return tap_jp_fail(text, at, TAP_E_PARSE, "syntax", err,
                       "'%.*s' has no meaning here; a name that holds it is written \"in quotes\"",
                       n, text + at);
}

tap_err tap_jp_lex(struct tap_jp_token *out, const char *text, size_t at, struct tap_error *err)
{
    at += strspn(text + at, " \t\r\n");
    const char *p = text + at;
    *out = (struct tap_jp_token){TAP_JP_T_END, at, 0};
    if (!*p)
        return TAP_OK;
    if (is_name(*p, true)) {
        out->kind = TAP_JP_T_NAME;
        while (is_name(p[out->len], false))
            out->len++;
        return TAP_OK;
    }
    if (*p == '-' || (*p >= '0' && *p <= '9'))
        return lex_number(out, text, err);
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
        if (*p == quotes[i].quote)
            return lex_quoted(out, text, &quotes[i], err);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t n = strlen(signs[i].text);
        if (strncmp(p, signs[i].text, n) == 0) {
            out->kind = signs[i].kind;
            out->len = n;
            return TAP_OK;
        }
    }
    return lex_other(text, at, err);
}

/* ---- what tokens stand for ---- */

/* `text` between the quotes, where a backslash before the closing quote's character goes away; all
 * others stay. */
static void unquote(struct tap_buf *out, const char *text, size_t len, char quote)
{
    tap_buf_init(out, TAP_JMESPATH_MAX_TEXT);
    for (size_t i = 1; i + 1 < len; i++) {
        if (text[i] == '\\' && text[i + 1] == quote && i + 2 < len)
            i++;
        else if (text[i] == '\\' && i + 2 < len)
            tap_buf_putc(out, text[i++]);
        tap_buf_putc(out, text[i]);
    }
}

/* `running`, `2026-01-01`: text in backticks that is not meant as JSON, as the AWS CLI takes it.
 * What starts like an object, array or string, and is none, is a mistake. */
static bool bare_string(json_t **out, const char *text, size_t len)
{
    if (len == 0 || strchr("{[\"", *text) || memchr(text, '"', len))
        return false;
    struct tap_buf quoted;
    tap_buf_init(&quoted, TAP_JMESPATH_MAX_TEXT);
    tap_buf_printf(&quoted, "\"%.*s\"", (int)len, text);
    tap_err code = tap_json_parse(out, tap_buf_text(&quoted), quoted.len, NULL, NULL);
    tap_buf_fini(&quoted);
    return code == TAP_OK;
}

static tap_err literal_value(json_t **out, const char *text, const struct tap_jp_token *token,
                             struct tap_error *err)
{
    static const char space[] = " \t\r\n";
    struct tap_buf inside;
    struct tap_error why = {0};
    unquote(&inside, text + token->at, token->len, '`');
    const char *start = tap_buf_text(&inside);
    size_t skipped = strspn(start, space), n = inside.len - skipped;
    while (n > 0 && strchr(space, start[skipped + n - 1]))
        n--;
    tap_err code = tap_json_parse(out, start + skipped, n, NULL, &why);
    if (code && bare_string(out, start + skipped, n))
        code = TAP_OK;
    else if (code)
        code = tap_jp_fail(text, token->at, code, code == TAP_E_PARSE ? "syntax" : why.name, err,
                           "this literal is not JSON: %s; text is written 'in single quotes'",
                           why.message);
    tap_buf_fini(&inside);
    return code;
}

tap_err tap_jp_token_value(json_t **out, const char *text, const struct tap_jp_token *token,
                           struct tap_error *err)
{
    struct tap_error why;
    struct tap_buf inside;
    *out = NULL;
    switch (token->kind) {
    case TAP_JP_T_LITERAL: return literal_value(out, text, token, err);
    case TAP_JP_T_RAW:
        unquote(&inside, text + token->at, token->len, '\'');
        *out = json_stringn(tap_buf_text(&inside), inside.len);
        tap_buf_fini(&inside);
        return TAP_OK;
    case TAP_JP_T_NAME: *out = json_stringn(text + token->at, token->len); return TAP_OK;
    default:
        if (tap_json_parse(out, text + token->at, token->len, NULL, &why))
            return tap_jp_fail(text, token->at, TAP_E_PARSE, "syntax", err,
                               "a quoted name is written as a JSON string: %s", why.message);
        return TAP_OK;
    }
}

long long tap_jp_token_number(const char *text, const struct tap_jp_token *token)
{
    const long long most = 1LL << 53;
    const char *p = text + token->at, *end = p + token->len;
    bool negative = *p == '-';
    long long number = 0;
    for (p += negative; p < end; p++)
        number = number < most / 10 ? number * 10 + (*p - '0') : most;
    return negative ? -number : number;
}
