/*
 * The INI dialect of ~/.aws/config and ~/.aws/credentials, as botocore reads it (which is Python's
 * configparser): which lines are ignored, which go on, which are errors.
 *
 *     [profile web]               a section; what follows the last ']' is ignored
 *     region = eu-west-1          or "region: eu-west-1"; names of keys do not depend on case
 *     # a comment                 or ';', on a line of its own: "x = a # b" has the value "a # b"
 *     s3 =                        an empty value and deeper lines: nested settings
 *       addressing_style = path
 *     text = first                a value and deeper lines: one value of several lines
 *       second
 *
 * Values may be secrets: everything is overwritten when freed.
 */
#ifndef TAP_INI_H
#define TAP_INI_H

#include "error.h"

enum {
    TAP_INI_MAX_FILE = 1024 * 1024, /* bytes */
    TAP_INI_MAX_SECTIONS = 10000,
    TAP_INI_MAX_KEYS = 1000, /* of one section, and nested ones of one key */
};

struct tap_ini_key {
    char *name;  /* lower case; a nested one as it is written */
    char *value; /* without blanks around it; "" when there are nested ones */
    unsigned line;
    struct tap_ini_key *nested;
    size_t n_nested;
};

struct tap_ini_section {
    char *name; /* what stands between the brackets, without blanks around it */
    unsigned line;
    struct tap_ini_key *keys;
    size_t n;
};

struct tap_ini {
    struct tap_ini_section *sections;
    size_t n;
};

/* TAP_E_PARSE "InvalidConfig" with the place (a line that is neither, a key before any section, a
 * section or key that stands twice, bytes that are no UTF-8), TAP_E_LIMIT. `file` (may be NULL) is
 * for the place. The caller frees *out (tap_ini_free), NULL on failure. No message repeats a
 * value. */
tap_err tap_ini_parse(struct tap_ini **out, const char *text, size_t len, const char *file,
                      struct tap_error *err);
void tap_ini_free(struct tap_ini *ini);

/* Borrowed; NULL when there is none. */
const struct tap_ini_section *tap_ini_section(const struct tap_ini *ini, const char *name);
const struct tap_ini_key *tap_ini_key(const struct tap_ini_section *section, const char *name);
/* "" counts as none. `section` may be NULL. */
const char *tap_ini_value(const struct tap_ini_section *section, const char *name);
/* The same of a nested key. */
const char *tap_ini_nested(const struct tap_ini_key *key, const char *name);

#endif
