/*
 * Small things done to text. See text.h for the contracts. All of it is ASCII by rule, not by
 * locale: what is signed and sent must not depend on the user's LANG.
 */
#include "text.h"

#include <stdint.h>
#include <string.h>

enum { MAX_NAME = 128 }; /* longer names have no nearest one */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
    if (is_upper(c))
        return (char)(c - 'A' + 'a');
    return c;
}

/* ---- percent-encoding ---- */

static bool is_unreserved(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

void tap_uri_encode(struct tap_buf *out, const char *bytes, size_t n, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t start = 0; /* of the run of bytes that stay */
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        if (is_unreserved(c) || (c && strchr(keep, c)))
            continue;
        unsigned byte = (unsigned char)c;
        char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        tap_buf_add(out, bytes + start, i - start);
        tap_buf_add(out, escape, sizeof escape);
        start = i + 1;
    }
    tap_buf_add(out, bytes + start, n - start);
}

/* -1 when c is no hex digit. */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tap_uri_decode(struct tap_buf *out, const char *text, size_t n, bool plus)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '+' && plus) {
            tap_buf_putc(out, ' ');
        } else if (text[i] != '%') {
            tap_buf_putc(out, text[i]);
        } else {
            int high = n - i > 2 ? hex_value(text[i + 1]) : -1;
            int low = n - i > 2 ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            tap_buf_putc(out, (char)(high * 16 + low));
            i += 2;
        }
    }
    return true;
}

/* ---- base64 and hex ---- */

enum { PADDING = 64 };
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

enum { GROUPS = 256 }; /* that are put into a buffer at once: bodies are megabytes */

void tap_base64_encode(struct tap_buf *out, const void *bytes, size_t n)
{
    const uint8_t *in = bytes;
    char digits[4 * GROUPS];
    size_t filled = 0;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= left > 2 ? in[i + 2] : 0;
        digits[filled++] = base64_digits[bits >> 18];
        digits[filled++] = base64_digits[(bits >> 12) & 63];
        digits[filled++] = base64_digits[left > 1 ? (bits >> 6) & 63 : PADDING];
        digits[filled++] = base64_digits[left > 2 ? bits & 63 : PADDING];
        if (filled == sizeof digits || left <= 3) {
            tap_buf_add(out, digits, filled);
            filled = 0;
        }
    }
}

/* The values of the digits from '+' to 'z'; -1: no digit. */
static const signed char base64_values[] = {
    62, -1, -1, -1, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1,
    -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
    18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
};

/* -1 when c is no base64 digit. */
static int base64_value(char c)
{
    size_t at = (size_t)((unsigned char)c - '+'); /* below '+': beyond every table */
    return at < sizeof base64_values ? base64_values[at] : -1;
}

/* Appends the bytes of one group to `bytes`; false when the group has something else. */
static bool decode_group(char *bytes, size_t *filled, const char *text, size_t digits)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < digits ? base64_value(text[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i + 1 < digits; i++)
        bytes[(*filled)++] = (char)(bits >> (16 - 8 * i));
    return true;
}

bool tap_base64_decode(struct tap_buf *out, const char *text, size_t n)
{
    if (n % 4)
        return false;
    char bytes[3 * GROUPS];
    size_t filled = 0;
    bool good = true;
    for (size_t i = 0; i < n && good; i += 4) {
        size_t digits = 4;
        if (i + 4 == n && text[n - 1] == '=')
            digits = text[n - 2] == '=' ? 2 : 3;
        good = decode_group(bytes, &filled, text + i, digits);
        if (filled == sizeof bytes || i + 4 == n || !good) {
            tap_buf_add(out, bytes, filled);
            filled = 0;
        }
    }
    return good;
}

void tap_hex(char *out, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = '\0';
}

/* ---- the spellings of a name ---- */

/* Words whose own capitals are not word breaks; botocore lists the operations that hold them. */
static const char *const odd_words[] = {"HITs", "OTel", "PartiQL", "WhatsApp", "iSCSI"};

/* Length of the odd word that stands at `text`, or 0. */
static size_t odd_word(const char *text)
{
    for (size_t i = 0; i < sizeof odd_words / sizeof *odd_words; i++) {
        size_t n = strlen(odd_words[i]);
        if (strncmp(text, odd_words[i], n) == 0)
            return n;
    }
    return 0;
}

/* Length of a plural acronym that ends the name ("ARNs", "ACLs"), or 0. */
static size_t plural_acronym(const char *text)
{
    size_t n = 0;
    while (is_upper(text[n]))
        n++;
    return n >= 2 && strcmp(text + n, "s") == 0 ? n + 1 : 0;
}

void tap_snake_case(struct tap_buf *out, const char *name)
{
    if (strchr(name, '_')) { /* is in snake case already */
        tap_buf_puts(out, name);
        return;
    }
    char before = '\0';
    for (const char *c = name; *c;) {
        size_t n = odd_word(c);
        if (!n && !is_upper(before))
            n = plural_acronym(c);
        bool starts =
            n || (is_upper(*c) && (is_lower(before) || is_digit(before) || is_lower(c[1])));
        if (before && starts)
            tap_buf_putc(out, '_');
        for (const char *end = c + (n ? n : 1); c < end; c++)
            tap_buf_putc(out, to_lower(*c));
        before = c[-1];
    }
}

/* Skips what does not count in a name. */
static const char *significant(const char *text)
{
    return text + strspn(text, "-_");
}

bool tap_same_name(const char *a, const char *b)
{
    for (a = significant(a), b = significant(b); *a && *b;
         a = significant(a + 1), b = significant(b + 1))
        if (to_lower(*a) != to_lower(*b))
            return false;
    return *a == *b;
}

/* ---- the nearest name ---- */

/* The letters of `name` that count, lower case. Returns their number, 0 when they are too many. */
static size_t fold(char out[MAX_NAME], const char *name)
{
    size_t n = 0;
    for (const char *c = significant(name); *c; c = significant(c + 1)) {
        if (n == MAX_NAME)
            return 0;
        out[n++] = to_lower(*c);
    }
    return n;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string
 * alignment). Three rows of the table are enough, as a swap looks two rows back. */
static unsigned edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[3][MAX_NAME + 1] = {{0}};
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = smaller(above[j], row[j - 1]) + 1;
            row[j] = smaller(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

const char *tap_nearest(const char *wanted, const char *const *names, size_t n)
{
    char target[MAX_NAME], candidate[MAX_NAME];
    size_t target_len = fold(target, wanted);
    if (!target_len)
        return NULL;
    const char *best = NULL;
    unsigned best_distance = (unsigned)(target_len + 2) / 3 + 1; /* at most a third is wrong */
    for (size_t i = 0; i < n && best_distance > 0; i++) {
        size_t len = fold(candidate, names[i]);
        size_t gap = len > target_len ? len - target_len : target_len - len;
        if (!len || gap >= best_distance)
            continue;
        unsigned distance = edit_distance(target, target_len, candidate, len);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    return best;
}

/* ---- UTF-8 ---- */

/* Length of the well-formed sequence at `s` (`n` > 0 bytes are left), or 0. The second byte's range
 * is what excludes overlong forms, surrogates and what lies beyond U+10FFFF. */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
    static const struct {
        unsigned char first, last, second_min, second_max, length;
    } forms[] = {
        {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last)
            continue;
        size_t length = forms[i].length;
        if (length > n)
            return 0;
        if (length > 1 && (s[1] < forms[i].second_min || s[1] > forms[i].second_max))
            return 0;
        for (size_t j = 2; j < length; j++)
            if ((s[j] & 0xC0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

/* How many bytes of ASCII stand in front, by whole words: nearly all text is nothing else. */
static size_t ascii_words(const unsigned char *s, size_t n)
{
    size_t i = 0;
    for (uint64_t word; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool tap_utf8_valid(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = ascii_words(s, n); i < n;) {
        size_t length = utf8_sequence(s + i, n - i);
        if (!length)
            return false;
        i += length;
    }
    return true;
}
