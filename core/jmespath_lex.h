/*
 * The tokens of a JMESPath expression. Private to jmespath_*.c.
 */
#ifndef TAP_JMESPATH_LEX_H
#define TAP_JMESPATH_LEX_H

#include <jansson.h>

#include "error.h"

enum tap_jp_token_kind {
    TAP_JP_T_END,
    TAP_JP_T_NAME,    /* foo */
    TAP_JP_T_QUOTED,  /* "foo bar" */
    TAP_JP_T_RAW,     /* 'text' */
    TAP_JP_T_LITERAL, /* `[1, 2]` */
    TAP_JP_T_NUMBER,  /* -12 */
    TAP_JP_T_DOT,
    TAP_JP_T_STAR,
    TAP_JP_T_CURRENT, /* @ */
    TAP_JP_T_REF,     /* & */
    TAP_JP_T_COMMA,
    TAP_JP_T_COLON,
    TAP_JP_T_FLATTEN,      /* [] */
    TAP_JP_T_OPEN_FILTER,  /* [? */
    TAP_JP_T_OPEN_BRACKET, /* [ */
    TAP_JP_T_CLOSE_BRACKET,
    TAP_JP_T_OPEN_BRACE,
    TAP_JP_T_CLOSE_BRACE,
    TAP_JP_T_OPEN_PAREN,
    TAP_JP_T_CLOSE_PAREN,
    TAP_JP_T_PIPE,
    TAP_JP_T_OR,
    TAP_JP_T_AND,
    TAP_JP_T_NOT,
    TAP_JP_T_EQUAL,
    TAP_JP_T_NOT_EQUAL,
    TAP_JP_T_LESS,
    TAP_JP_T_LESS_EQUAL,
    TAP_JP_T_GREATER,
    TAP_JP_T_GREATER_EQUAL,
    TAP_JP_TOKENS
};

struct tap_jp_token {
    enum tap_jp_token_kind kind;
    size_t at, len; /* its bytes in the text, quotes included */
};

/* Reads the token that starts at byte `at` or after the white space there. */
tap_err tap_jp_lex(struct tap_jp_token *out, const char *text, size_t at, struct tap_error *err);

/* What a quoted name, raw string or literal stands for; the caller owns *out. */
tap_err tap_jp_token_value(json_t **out, const char *text, const struct tap_jp_token *token,
                           struct tap_error *err);
/* What a number stands for. One that no array is long enough for is as good as any other. */
long long tap_jp_token_number(const char *text, const struct tap_jp_token *token);

/* Fails with the place of byte `at` in the error's fields and in its message. */
tap_err tap_jp_fail(const char *text, size_t at, tap_err code, const char *name,
                    struct tap_error *err, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
