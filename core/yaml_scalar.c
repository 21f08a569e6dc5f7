/*
 * Which text is a number, a boolean or null. YAML 1.1 reads 012 as ten, 1_000 as a thousand and
 * 12:30 as 750; people who write templates mean account ids, versions and times of day. So a plain
 * scalar becomes a number only when the number prints as that very text.
 */
#include "yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"

enum { LONGEST_NUMBER = 40 };

/* In the three spellings of YAML 1.1 each. (y and n are not in PyYAML's list, nor in ours.) */
static const struct {
    const char *text;
    enum { IS_NULL, IS_TRUE, IS_FALSE } meaning;
} words[] = {
    {"", IS_NULL},       {"~", IS_NULL},    {"null", IS_NULL},   {"Null", IS_NULL},
    {"NULL", IS_NULL},   {"true", IS_TRUE}, {"True", IS_TRUE},   {"TRUE", IS_TRUE},
    {"yes", IS_TRUE},    {"Yes", IS_TRUE},  {"YES", IS_TRUE},    {"on", IS_TRUE},
    {"On", IS_TRUE},     {"ON", IS_TRUE},   {"false", IS_FALSE}, {"False", IS_FALSE},
    {"FALSE", IS_FALSE}, {"no", IS_FALSE},  {"No", IS_FALSE},    {"NO", IS_FALSE},
    {"off", IS_FALSE},   {"Off", IS_FALSE}, {"OFF", IS_FALSE},
};

static json_t *word(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].text) != n || memcmp(words[i].text, text, n) != 0)
            continue;
        return words[i].meaning == IS_NULL ? json_null()
                                           : json_boolean(words[i].meaning == IS_TRUE);
    }
    return NULL;
}

static bool prints_as(const json_t *value, const char *text)
{
    char *printed = tap_json_print(value);
    bool same = strcmp(printed, text) == 0;
    tap_free(printed);
    return same;
}

/* The number that prints as `text`, or NULL. */
static json_t *faithful_number(const char *text, size_t n)
{
    char copy[LONGEST_NUMBER + 1] = "";
    if (n == 0 || n > LONGEST_NUMBER || (text[0] != '-' && (text[0] < '0' || text[0] > '9')))
        return NULL;
    memcpy(copy, text, n);
    errno = 0;
    char *end;
    long long whole = strtoll(copy, &end, 10);
    json_t *value = NULL;
    if (!*end && !errno)
        value = json_integer(whole);
    else if (*end == '.')
        value = json_real(strtod(copy, NULL));
    if (value && !prints_as(value, copy)) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *tap_yaml_plain(const char *text, size_t n)
{
    json_t *value = word(text, n);
    if (!value)
        value = faithful_number(text, n);
    return value ? value : json_stringn(text, n);
}

/* !!int and !!float ask for a number, so any decimal spelling will do. */
static json_t *forced_number(const char *text, size_t n, bool whole)
{
    char copy[LONGEST_NUMBER + 1] = "", *end;
    if (n == 0 || n > LONGEST_NUMBER || memchr(text, '\0', n))
        return NULL;
    memcpy(copy, text, n);
    if (strspn(copy, "+-.0123456789eE") != n)
        return NULL;
    errno = 0;
    long long integer = strtoll(copy, &end, 10);
    if (whole)
        return *end || errno ? NULL : json_integer(integer);
    double real = strtod(copy, &end);
    return *end || !isfinite(real) ? NULL : json_real(real);
}

json_t *tap_yaml_tagged(const char *tag, const char *text, size_t n)
{
    if (strcmp(tag, "int") == 0 || strcmp(tag, "float") == 0)
        return forced_number(text, n, *tag == 'i');
    if (strcmp(tag, "str") == 0)
        return json_stringn(text, n);
    json_t *value = word(text, n);
    bool fits = strcmp(tag, "null") == 0 ? json_is_null(value) : json_is_boolean(value);
    if (fits)
        return value;
    json_decref(value);
    return NULL;
}
