/*
 * A line split into words as a POSIX shell splits it, without expanding anything: blanks between
 * words, quotes, backslashes. Profile names and credential_process are written so.
 */
#ifndef TAP_WORDS_H
#define TAP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { TAP_MAX_WORDS = 1000 };

struct tap_words {
    char **items; /* NULL-terminated: fit for argv */
    size_t n;
};

/* False when a quote is open at the end, a backslash is the last character, or there are more than
 * TAP_MAX_WORDS words; *out then holds nothing. */
bool tap_words_split(struct tap_words *out, const char *line);
void tap_words_fini(struct tap_words *words);

#endif
