/*
 * Words of a line. See words.h.
 */
#include "words.h"

#include <string.h>

#include "buf.h"
#include "mem.h"

static const char blanks[] = " \t\r\n";

/* Appends the quoted part that `at` begins; returns what follows it, NULL when it has no end. */
static const char *add_quoted(struct tap_buf *word, const char *at)
{
    const char quote = *at++;
    for (; *at && *at != quote; at++) {
        /* within "", a backslash escapes only what would mean something there */
        if (quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        tap_buf_putc(word, *at);
    }
    return *at ? at + 1 : NULL;
}

/* Appends one word; returns what follows it, NULL when it has no end. */
static const char *add_word(struct tap_buf *word, const char *at)
{
    while (at && *at && !strchr(blanks, *at)) {
        if (*at == '\'' || *at == '"') {
            at = add_quoted(word, at);
            continue;
        }
        if (*at == '\\' && !*++at)
            return NULL;
        tap_buf_putc(word, *at++);
    }
    return at;
}

bool tap_words_split(struct tap_words *out, const char *line)
{
    *out = (struct tap_words){.items = tap_calloc(1, sizeof *out->items)};
    const char *at = line + strspn(line, blanks);
    while (at && *at) {
        struct tap_buf word;
        tap_buf_init(&word, strlen(at));
        at = add_word(&word, at);
        out->items = tap_realloc(out->items, (out->n + 2) * sizeof *out->items);
        out->items[out->n++] = tap_buf_take(&word, NULL);
        out->items[out->n] = NULL;
        if (out->n > TAP_MAX_WORDS)
            at = NULL;
        if (at)
            at += strspn(at, blanks);
    }
    if (!at)
        tap_words_fini(out);
    return at != NULL;
}

void tap_words_fini(struct tap_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        tap_free_secret(words->items[i]);
    tap_free(words->items);
    *words = (struct tap_words){0};
}
