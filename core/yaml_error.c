/*
 * libyaml says what its scanner expected ("could not find expected ':'"), often a line after the
 * mistake. Here is, for each of its complaints, what the author most likely did, and which of its
 * two places (where it noticed, where the construct began) is the one to show.
 */
#include "yaml_error.h"

#include <stdio.h>
#include <string.h>

#include "doc.h"

#define NOT_A_PAIR "this is not a \"key: value\" pair: the colon, or the blank after it, is missing"

enum place { NOTICED, BEGAN };

static const struct {
    const char *problem; /* a part of libyaml's text */
    const char *context; /* likewise; "" for any */
    enum place place;
    const char *says;
} complaints[] = {
    {"could not find expected ':'", "", BEGAN, NOT_A_PAIR},
    {"mapping values are not allowed", "", NOTICED,
     "a \": \" cannot stand here: the line is indented wrongly, or the value on it contains \": \" "
     "and needs quotes"},
    {"did not find expected key", "flow mapping", NOTICED, "a key, ',' or '}' belongs here"},
    {"did not find expected key", "", NOTICED,
     "a key belongs here: the line is not indented as the keys before it are, or a quote before it "
     "is misplaced"},
    {"did not find expected '-' indicator", "", NOTICED,
     "a list element (\"- \") belongs here: the line is not indented as the elements before it "
     "are"},
    {"did not find expected ',' or ']'", "", NOTICED,
     "',' or ']' belongs here: a comma is missing, or the list is not closed"},
    {"did not find expected ',' or '}'", "", NOTICED,
     "',' or '}' belongs here: a comma is missing, or the mapping is not closed"},
    {"found unexpected end of stream", "quoted scalar", BEGAN,
     "the quote that opens here is never closed"},
    {"found unexpected document indicator", "quoted scalar", BEGAN,
     "the quote that opens here is never closed"},
    {"found unknown escape character", "", NOTICED,
     "this escape is not known in double quotes; write \\\\ for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", "", NOTICED,
     "hexadecimal digits belong after this escape"},
    {"found invalid Unicode character escape code", "", NOTICED,
     "this escape names a character that does not exist"},
    {"block sequence entries are not allowed", "", NOTICED,
     "a list element (\"- \") cannot stand here: put it on a line of its own, below its key"},
    {"mapping keys are not allowed", "", NOTICED, "a key cannot stand here"},
    {"did not find expected alphabetic or numeric character", "alias", BEGAN,
     "a text that begins with '*' needs quotes ('*'); unquoted it refers to an anchor"},
    {"did not find expected alphabetic or numeric character", "anchor", BEGAN,
     "a text that begins with '&' needs quotes ('&'); unquoted it names an anchor"},
    {"did not find expected comment or line break", "block scalar", NOTICED,
     "after '|' or '>' the text begins on the next line"},
    {"found a tab character", "", NOTICED, "a tab cannot indent a line; use blanks"},
    {"did not find expected node content", "", NOTICED, "a value belongs here"},
    {"did not find expected <document start>", "", NOTICED,
     "the document ended before this line; is it indented less than it should be?"},
    {"found undefined tag handle", "", NOTICED,
     "this !tag! prefix is not declared; CloudFormation's short forms have one '!' (!Ref)"},
    {"did not find expected whitespace or line break", "", NOTICED,
     "a blank belongs after the tag, before its value"},
    {"while parsing a %YAML directive", "", NOTICED, "this %YAML line is not valid"},
    {"found duplicate", "", NOTICED, "this directive stands twice"},
    {"found incompatible YAML document", "", NOTICED, "only YAML 1.1 and 1.2 are read"},
};

static struct tap_mark to_mark(const yaml_mark_t *mark)
{
    return (struct tap_mark){(uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* The bytes at a place of the text ("" past its end). */
static const char *bytes_at(const char *text, size_t len, const yaml_mark_t *mark, size_t *left)
{
    const char *at = text, *end = text + len;
    for (size_t line = 0; line < mark->line && at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    for (size_t column = 0; column < mark->column && at < end; column++)
        do
            at++;
        while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    *left = (size_t)(end - at);
    return *left ? at : "";
}

/* Complaints that one look at the text says better than any table. */
static const char *by_character(char *out, size_t size, const yaml_parser_t *parser, const char *at)
{
    if (strstr(parser->problem, "did not find expected") && *at == '!')
        return "two short forms cannot stand together; write the outer one in full, on a line of "
               "its own (Fn::Base64: !Sub ...)";
    if (!strstr(parser->problem, "found character that cannot start any token"))
        return NULL;
    if (*at == '\t')
        return "a tab cannot indent a line; use blanks";
    snprintf(out, size, "a text that begins with '%c' needs quotes", *at);
    return out;
}

/* A line of the text: its first character that is no blank, and its end. */
struct line {
    const char *start, *first, *end;
};

static struct line line_around(const char *text, size_t len, const char *at)
{
    struct line line = {.start = at};
    while (line.start > text && line.start[-1] != '\n')
        line.start--;
    const char *newline = memchr(at, '\n', (size_t)(text + len - at));
    line.end = newline ? newline : text + len;
    line.first = line.start;
    while (line.first < line.end && (*line.first == ' ' || *line.first == '\r'))
        line.first++;
    return line;
}

static bool has_colon(const struct line *line)
{
    for (const char *at = line->first; at < line->end; at++)
        if (*at == ':' && (at + 1 == line->end || strchr(" \t\r", at[1])))
            return true;
    return false;
}

/* "Type X" above "Name: Y": YAML takes both lines for one text, and complains of the second line's
 * colon. True when the line above is indented alike and is no pair; `mark` becomes its place. */
static bool blames_line_above(struct tap_mark *mark, const char *text, size_t len, const char *at)
{
    struct line here = line_around(text, len, at);
    if (here.start == text || mark->line < 2)
        return false;
    struct line above = line_around(text, len, here.start - 1);
    if (above.first - above.start != here.first - here.start || above.first == above.end ||
        strchr("#-\"'", *above.first) || has_colon(&above))
        return false;
    mark->line--;
    mark->column = (uint32_t)(above.first - above.start) + 1;
    return true;
}

/* The reader has no place for bytes that are not text: it is found by their offset. */
static tap_err explain_bytes(const yaml_parser_t *parser, const char *text, size_t len,
                             const char *file, struct tap_error *err)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < len && i < parser->problem_offset; i++) {
        if (text[i] == '\n')
            line++, column = 1;
        else if (((unsigned char)text[i] & 0xC0) != 0x80)
            column++;
    }
    bool control = strstr(parser->problem, "control characters") != NULL;
    return tap_fail_at(err, file, line, column, "InvalidYAML", "%s",
                       control ? "a control character cannot stand in YAML; in double quotes it is "
                                 "written as an escape (\\x07)"
                               : "this byte is not UTF-8 text; save the file as UTF-8");
}

tap_err tap_yaml_explain(const yaml_parser_t *parser, const char *text, size_t len,
                         const char *file, struct tap_error *err)
{
    if (parser->error == YAML_READER_ERROR)
        return explain_bytes(parser, text, len, file, err);
    const char *context = parser->context ? parser->context : "";
    const char *problem = parser->problem ? parser->problem : "the text is not YAML";
    size_t left;
    char buffer[96];
    struct tap_mark mark = to_mark(&parser->problem_mark);
    const char *at = bytes_at(text, len, &parser->problem_mark, &left);
    const char *says = parser->problem ? by_character(buffer, sizeof buffer, parser, at) : NULL;
    if (!says && left && strstr(problem, "mapping values are not allowed") &&
        blames_line_above(&mark, text, len, at))
        says = NOT_A_PAIR;
    for (size_t i = 0; !says && i < sizeof complaints / sizeof *complaints; i++) {
        if (!strstr(problem, complaints[i].problem) || !strstr(context, complaints[i].context))
            continue;
        says = complaints[i].says;
        if (complaints[i].place == BEGAN)
            mark = to_mark(&parser->context_mark);
    }
    return tap_fail_at(err, file, mark.line, mark.column, "InvalidYAML", "%s",
                       says ? says : problem);
}
