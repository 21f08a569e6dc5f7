/*
 * Splitting JSON text into tokens with their places. See json_scan.h.
 */
#include "json_scan.h"

#include <string.h>

void tap_json_scan_init(struct tap_json_scan *scan, const char *text, size_t len)
{
    memset(scan, 0, sizeof *scan);
    scan->at = text;
    scan->end = text + len;
    scan->next = (struct tap_mark){1, 1};
}

void tap_json_scan_skip(struct tap_json_scan *scan)
{
    unsigned char c = (unsigned char)*scan->at++;
    if (c == '\n') {
        scan->next.line++;
        scan->next.column = 1;
    } else if ((c & 0xC0) != 0x80) { /* bytes inside a UTF-8 sequence are not characters */
        scan->next.column++;
    }
}

/* strchr would find the NUL at the end of `set` too. */
static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c) != NULL;
}

static bool at_delimiter(const struct tap_json_scan *scan)
{
    return !*scan->at || is_one_of(*scan->at, " \t\r\n{}[]:,\"");
}

static void skip_string(struct tap_json_scan *scan)
{
    tap_json_scan_skip(scan);
    while (scan->at < scan->end && *scan->at != '\n') {
        char c = *scan->at;
        tap_json_scan_skip(scan);
        if (c == '"')
            return;
        if (c == '\\' && scan->at < scan->end && *scan->at != '\n')
            tap_json_scan_skip(scan);
    }
}

int tap_json_scan_next(struct tap_json_scan *scan)
{
    while (scan->at < scan->end && is_one_of(*scan->at, " \t\r\n"))
        tap_json_scan_skip(scan);
    scan->token = scan->at;
    scan->mark = scan->next;
    scan->len = 0;
    if (scan->at == scan->end)
        return TAP_JSON_END;
    int kind = TAP_JSON_WORD;
    if (*scan->at == '"') {
        kind = TAP_JSON_STRING;
        skip_string(scan);
    } else if (is_one_of(*scan->at, "{}[]:,")) {
        kind = (unsigned char)*scan->at;
        tap_json_scan_skip(scan);
    } else {
        do
            tap_json_scan_skip(scan);
        while (scan->at < scan->end && !at_delimiter(scan));
    }
    scan->len = (size_t)(scan->at - scan->token);
    return kind;
}
