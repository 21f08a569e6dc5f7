/*
 * AWS's INI files. See ini.h. A parser of lines: each is looked at once, with the indentation of
 * the key above it telling whether it goes on with that key's value.
 */
#include "ini.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "text.h"

struct line {
    const char *text; /* without blanks around it */
    size_t n;
    unsigned number;
    size_t indent; /* blanks before it */
};

struct parser {
    struct tap_ini *ini;
    const char *file;
    struct tap_error *err;
    size_t cap_sections, cap_keys, cap_nested; /* of the last of each */
    size_t indent;                             /* of the last line that began something */
    bool in_key;
    struct tap_buf value; /* of the last key, as far as it is read */
};

/* ---- lines ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes blanks off both ends. */
static void trim(const char **text, size_t *n)
{
    while (*n && is_blank(**text))
        ++*text, --*n;
    while (*n && is_blank((*text)[*n - 1]))
        --*n;
}

static struct line line_of(const char *start, size_t n, unsigned number)
{
    struct line line = {.text = start, .n = n, .number = number};
    trim(&line.text, &line.n);
    line.indent = (size_t)(line.text - start);
    return line;
}

static tap_err fail(struct parser *parser, const struct line *line, const char *what)
{
    return tap_fail_at(parser->err, parser->file, line->number, (unsigned)line->indent + 1,
                       "InvalidConfig", "%s", what);
}

static tap_err too_many(struct parser *parser, const char *what, int limit)
{
    return tap_fail(parser->err, TAP_E_LIMIT, "TooLarge", "%s has more than %d %s",
                    parser->file ? parser->file : "the file", limit, what);
}

static size_t sequence_length(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* `n` bytes at `start`: one line. */
static tap_err check_bytes(struct parser *parser, const char *start, size_t n, unsigned number)
{
    unsigned column = 1;
    for (size_t i = 0, step; i < n; i += step, column++) {
        step = sequence_length((unsigned char)start[i]);
        if (i + step > n || !start[i] || !tap_utf8_valid(start + i, step))
            return tap_fail_at(parser->err, parser->file, number, column, "InvalidConfig", "%s",
                               start[i] ? "bytes that are no UTF-8" : "a NUL byte");
    }
    return TAP_OK;
}

/* ---- what a section has ---- */

static struct tap_ini_section *last_section(const struct parser *parser)
{
    const struct tap_ini *ini = parser->ini;
    return ini->n ? &ini->sections[ini->n - 1] : NULL;
}

static struct tap_ini_key *last_key(const struct parser *parser)
{
    struct tap_ini_section *section = last_section(parser);
    return &section->keys[section->n - 1];
}

static void end_key(struct parser *parser)
{
    if (!parser->in_key)
        return;
    const char *text = tap_buf_text(&parser->value);
    size_t n = parser->value.len;
    trim(&text, &n);
    last_key(parser)->value = tap_strndup(text, n);
    tap_buf_fini_secret(&parser->value);
    parser->in_key = false;
}

static tap_err begin_section(struct parser *parser, const struct line *line)
{
    const char *name = line->text + 1;
    const char *end = memrchr(line->text, ']', line->n);
    size_t n = end ? (size_t)(end - name) : 0;
    trim(&name, &n);
    if (!n)
        return fail(parser, line, "a section's name stands between '[' and ']'");
    struct tap_ini *ini = parser->ini;
    if (ini->n == TAP_INI_MAX_SECTIONS)
        return too_many(parser, "sections", TAP_INI_MAX_SECTIONS);
    char *copy = tap_strndup(name, n);
    const struct tap_ini_section *twin = tap_ini_section(ini, copy);
    if (twin) {
        tap_fail_at(parser->err, parser->file, line->number, (unsigned)line->indent + 1,
                    "InvalidConfig", "[%s] stands here and in line %u: join them", copy,
                    twin->line);
        tap_free(copy);
        return parser->err->code;
    }
    ini->sections = tap_grow(ini->sections, ini->n, &parser->cap_sections, sizeof *ini->sections);
    ini->sections[ini->n++] = (struct tap_ini_section){.name = copy, .line = line->number};
    parser->cap_keys = 0;
    return TAP_OK;
}

static tap_err begin_key(struct parser *parser, const struct line *line)
{
    struct tap_ini_section *section = last_section(parser);
    if (!section)
        return fail(parser, line, "a section such as [default] must come before the first key");
    size_t n = 0;
    while (n < line->n && line->text[n] != '=' && line->text[n] != ':')
        n++;
    const char *name = line->text, *value = line->text + n + 1;
    size_t value_n = n < line->n ? line->n - n - 1 : 0;
    if (n == line->n)
        return fail(parser, line, "neither a [section] nor a 'key = value'");
    trim(&name, &n);
    trim(&value, &value_n);
    if (!n)
        return fail(parser, line, "a key's name must stand before the '='");
    if (section->n == TAP_INI_MAX_KEYS)
        return too_many(parser, "keys in one section", TAP_INI_MAX_KEYS);
    char *copy = tap_strndup(name, n);
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const struct tap_ini_key *twin = tap_ini_key(section, copy);
    if (twin) {
        tap_fail_at(parser->err, parser->file, line->number, (unsigned)line->indent + 1,
                    "InvalidConfig", "'%s' stands here and in line %u: keep one", copy, twin->line);
        tap_free(copy);
        return parser->err->code;
    }
    section->keys = tap_grow(section->keys, section->n, &parser->cap_keys, sizeof *section->keys);
    section->keys[section->n++] = (struct tap_ini_key){.name = copy, .line = line->number};
    parser->cap_nested = 0;
    parser->in_key = true;
    tap_buf_init(&parser->value, TAP_INI_MAX_FILE);
    tap_buf_add(&parser->value, value, value_n);
    return TAP_OK;
}

/* A setting below a key without a value; the same again replaces it. */
static tap_err add_nested(struct parser *parser, const struct line *line)
{
    struct tap_ini_key *key = last_key(parser);
    const char *equals = memchr(line->text, '=', line->n);
    const char *name = line->text, *value = equals ? equals + 1 : NULL;
    size_t n = equals ? (size_t)(equals - name) : 0;
    size_t value_n = equals ? (size_t)(line->text + line->n - value) : 0;
    trim(&name, &n);
    if (!n)
        return fail(parser, line, "'name = value' is expected below a key without a value");
    trim(&value, &value_n);
    char *copy = tap_strndup(name, n);
    for (size_t i = 0; i < key->n_nested; i++) {
        if (strcmp(key->nested[i].name, copy) != 0)
            continue;
        tap_free(copy);
        tap_free_secret(key->nested[i].value);
        key->nested[i].value = tap_strndup(value, value_n);
        return TAP_OK;
    }
    if (key->n_nested == TAP_INI_MAX_KEYS) {
        tap_free(copy);
        return too_many(parser, "settings below one key", TAP_INI_MAX_KEYS);
    }
    key->nested = tap_grow(key->nested, key->n_nested, &parser->cap_nested, sizeof *key->nested);
    key->nested[key->n_nested++] = (struct tap_ini_key){
        .name = copy, .value = tap_strndup(value, value_n), .line = line->number};
    return TAP_OK;
}

static tap_err go_on(struct parser *parser, const struct line *line)
{
    if (!parser->value.len)
        return add_nested(parser, line);
    tap_buf_putc(&parser->value, '\n');
    tap_buf_add(&parser->value, line->text, line->n);
    return TAP_OK;
}

static tap_err read_line(struct parser *parser, const struct line *line)
{
    bool is_comment = line->n && (*line->text == '#' || *line->text == ';');
    if (is_comment)
        return TAP_OK;
    if (!line->n) {
        if (parser->in_key && parser->value.len)
            tap_buf_putc(&parser->value, '\n');
        return TAP_OK;
    }
    if (parser->in_key && line->indent > parser->indent)
        return go_on(parser, line);
    end_key(parser);
    parser->indent = line->indent;
    return *line->text == '[' ? begin_section(parser, line) : begin_key(parser, line);
}

/* ---- the file ---- */

tap_err tap_ini_parse(struct tap_ini **out, const char *text, size_t len, const char *file,
                      struct tap_error *err)
{
    struct tap_error ignored;
    struct parser parser = {
        .ini = tap_alloc(sizeof *parser.ini), .file = file, .err = err ? err : &ignored};
    tap_err code = TAP_OK;
    *out = NULL;
    if (len > TAP_INI_MAX_FILE)
        code = too_many(&parser, "bytes", TAP_INI_MAX_FILE);
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (unsigned number = 1; at < len && code == TAP_OK; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        struct line line = line_of(text + at, n, number);
        code = check_bytes(&parser, text + at, n, number);
        if (code == TAP_OK)
            code = read_line(&parser, &line);
        at += n + 1;
    }
    end_key(&parser);
    if (code)
        tap_ini_free(parser.ini);
    else
        *out = parser.ini;
    return code;
}

static void keys_free(struct tap_ini_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tap_free(keys[i].name);
        tap_free_secret(keys[i].value);
        keys_free(keys[i].nested, keys[i].n_nested); /* these have none below them */
    }
    tap_free(keys);
}

void tap_ini_free(struct tap_ini *ini)
{
    if (!ini)
        return;
    for (size_t i = 0; i < ini->n; i++) {
        tap_free(ini->sections[i].name);
        keys_free(ini->sections[i].keys, ini->sections[i].n);
    }
    tap_free(ini->sections);
    tap_free(ini);
}

/* ---- what it says ---- */

const struct tap_ini_section *tap_ini_section(const struct tap_ini *ini, const char *name)
{
    for (size_t i = 0; ini && i < ini->n; i++)
        if (strcmp(ini->sections[i].name, name) == 0)
            return &ini->sections[i];
    return NULL;
}

const struct tap_ini_key *tap_ini_key(const struct tap_ini_section *section, const char *name)
{
    for (size_t i = 0; section && i < section->n; i++)
        if (strcmp(section->keys[i].name, name) == 0)
            return &section->keys[i];
    return NULL;
}

const char *tap_ini_value(const struct tap_ini_section *section, const char *name)
{
    const struct tap_ini_key *key = tap_ini_key(section, name);
    return key && *key->value ? key->value : NULL;
}

const char *tap_ini_nested(const struct tap_ini_key *key, const char *name)
{
    for (size_t i = 0; key && i < key->n_nested; i++)
        if (strcmp(key->nested[i].name, name) == 0 && *key->nested[i].value)
            return key->nested[i].value;
    return NULL;
}
