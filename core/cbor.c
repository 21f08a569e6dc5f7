/*
 * CBOR. See cbor.h. An item is a head (three bits of major type, five of additional information,
 * and up to eight bytes of argument) and what the head announces. Lengths in heads are believed
 * only as far as bytes are there.
 */
#include "cbor.h"

#include <math.h>
#include <string.h>

#include "doc.h"
#include "json.h"
#include "text.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

enum {
    FALSE = 20,
    TRUE = 21,
    NIL = 22,
    UNDEFINED = 23,
    HALF = 25,
    SINGLE = 26,
    DOUBLE = 27,
    INDEFINITE = 31, /* as additional information; with SIMPLE: the end of such an item */
    BREAK = 0xFF,
    TIME = 1 /* the tag of seconds since 1970 */
};

struct parser {
    const uint8_t *start, *at, *end;
    size_t depth, items;
    struct tap_error *err;
};

struct head {
    enum major major;
    unsigned info;
    uint64_t value;
};

static json_t *read_item(struct parser *parser);

/* Always NULL. The first reason is kept. */
static json_t *wrong(struct parser *parser, tap_err code, const char *name, const char *what)
{
    if (parser->err->code)
        return NULL;
    tap_fail_at(parser->err, NULL, 1, (unsigned)(parser->at - parser->start) + 1, name, "%s", what);
    parser->err->code = code;
    return NULL;
}

static json_t *malformed(struct parser *parser, const char *what)
{
    return wrong(parser, TAP_E_PARSE, "InvalidCBOR", what);
}

static size_t left(const struct parser *parser)
{
    return (size_t)(parser->end - parser->at);
}

/* ---- heads ---- */

static bool read_head(struct head *head, struct parser *parser)
{
    if (!left(parser)) {
        malformed(parser, "the CBOR ends where an item is expected");
        return false;
    }
    uint8_t first = *parser->at++;
    head->major = first >> 5;
    head->info = first & 0x1F;
    head->value = head->info;
    if (head->info < 24 || head->info == INDEFINITE)
        return true;
    size_t n = (size_t)1 << (head->info - 24);
    if (head->info > 27 || left(parser) < n) {
        malformed(parser, head->info > 27 ? "the CBOR has an item of an unknown kind"
                                          : "the CBOR ends inside of an item");
        return false;
    }
    for (head->value = 0; n; n--)
        head->value = head->value << 8 | *parser->at++;
    return true;
}

/* True, and past it, when the item of indefinite length ends here. */
static bool at_break(struct parser *parser)
{
    if (!left(parser) || *parser->at != BREAK)
        return false;
    parser->at++;
    return true;
}

/* ---- strings ---- */

/* Appends a string's bytes; chunks of one kind when its length is indefinite. */
static bool read_string(struct tap_buf *out, struct parser *parser, const struct head *head)
{
    if (head->info != INDEFINITE) {
        if (head->value > left(parser)) {
            malformed(parser, "the CBOR ends inside of a string");
            return false;
        }
        tap_buf_add(out, parser->at, (size_t)head->value);
        parser->at += head->value;
        return true;
    }
    while (!at_break(parser)) {
        struct head chunk;
        if (!read_head(&chunk, parser))
            return false;
        if (chunk.major != head->major || chunk.info == INDEFINITE) {
            malformed(parser, "a string in chunks has one of another kind");
            return false;
        }
        if (!read_string(out, parser, &chunk))
            return false;
    }
    return true;
}

static json_t *read_text(struct parser *parser, const struct head *head)
{
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_DOCUMENT);
    json_t *value = NULL;
    if (read_string(&text, parser, head)) {
        value = json_stringn(tap_buf_text(&text), text.len);
        if (!value)
            malformed(parser, "a text is not UTF-8");
    }
    tap_buf_fini_secret(&text);
    return value;
}

static json_t *read_bytes(struct parser *parser, const struct head *head)
{
    struct tap_buf bytes, text;
    tap_buf_init(&bytes, TAP_MAX_DOCUMENT);
    tap_buf_init(&text, 2 * TAP_MAX_DOCUMENT);
    json_t *value = NULL;
    if (read_string(&bytes, parser, head)) {
        tap_base64_encode(&text, tap_buf_text(&bytes), bytes.len);
        value = json_stringn(tap_buf_text(&text), text.len);
    }
    tap_buf_fini_secret(&bytes);
    tap_buf_fini_secret(&text);
    return value;
}

/* ---- numbers and other simple values ---- */

static json_t *real(double value)
{
    if (isnan(value))
        return json_string("NaN");
    if (isinf(value))
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    return json_real(value);
}

/* What does not fit 64 bits with a sign becomes the nearest real. */
static json_t *integer(const struct head *head)
{
    bool negative = head->major == NEGATIVE;
    if (head->value > INT64_MAX)
        return json_real(negative ? -1 - (double)head->value : (double)head->value);
    int64_t value = (int64_t)head->value;
    return json_integer(negative ? -1 - value : value);
}

/* IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
static double from_half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 0x1F);
    double fraction = (double)(bits & 0x3FF);
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent != 31 ? ldexp(fraction + 1024, exponent - 25)
                   : fraction == 0  ? (double)INFINITY
                                    : (double)NAN;
    return bits >> 15 ? -value : value;
}

static double from_single(uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float value;
    memcpy(&value, &half, sizeof value);
    return (double)value;
}

static double from_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static json_t *read_simple(struct parser *parser, const struct head *head)
{
    switch (head->info) {
    case FALSE: return json_false();
    case TRUE: return json_true();
    case NIL:
    case UNDEFINED: return json_null();
    case HALF: return real(from_half(head->value));
    case SINGLE: return real(from_single(head->value));
    case DOUBLE: return real(from_double(head->value));
    case INDEFINITE: return malformed(parser, "the CBOR has an end of nothing");
    default: return malformed(parser, "the CBOR has a simple value that is not known");
    }
}

/* ---- arrays, maps, tags ---- */

/* True while another element is to be read. */
static bool more(struct parser *parser, const struct head *head, uint64_t n)
{
    return head->info == INDEFINITE ? !at_break(parser) : n < head->value;
}

static json_t *read_array(struct parser *parser, const struct head *head)
{
    json_t *list = json_array();
    for (uint64_t n = 0; more(parser, head, n); n++) {
        json_t *item = read_item(parser);
        if (!item) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static bool read_pair(json_t *map, struct parser *parser)
{
    struct head head;
    if (!read_head(&head, parser))
        return false;
    if (head.major != TEXT) {
        malformed(parser, "a map has a key that is no text");
        return false;
    }
    json_t *key = read_text(parser, &head);
    json_t *value = key ? read_item(parser) : NULL;
    bool good = value && json_object_setn_new(map, json_string_value(key), json_string_length(key),
                                              value) == 0;
    json_decref(key);
    return good;
}

static json_t *read_map(struct parser *parser, const struct head *head)
{
    json_t *map = json_object();
    for (uint64_t n = 0; more(parser, head, n); n++) {
        if (!read_pair(map, parser)) {
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

static json_t *read_content(struct parser *parser, const struct head *head)
{
    switch (head->major) {
    case UNSIGNED:
    case NEGATIVE: return integer(head);
    case BYTES: return read_bytes(parser, head);
    case TEXT: return read_text(parser, head);
    case ARRAY: return read_array(parser, head);
    case MAP: return read_map(parser, head);
    case TAG: return read_item(parser);
    default: return read_simple(parser, head);
    }
}

/* NULL when it is broken. */
static json_t *read_item(struct parser *parser)
{
    struct head head;
    if (parser->depth == TAP_MAX_DEPTH)
        return wrong(parser, TAP_E_LIMIT, "TooDeep", "the CBOR nests deeper than 256 levels");
    if (++parser->items > TAP_MAX_NODES)
        return wrong(parser, TAP_E_LIMIT, "TooLarge", "the CBOR holds more than 2000000 values");
    if (!read_head(&head, parser))
        return NULL;
    bool has_length = head.major >= BYTES && head.major <= MAP;
    if (head.info == INDEFINITE && !has_length && head.major != SIMPLE)
        return malformed(parser, "the CBOR has a number without an end");
    parser->depth++;
    json_t *value = read_content(parser, &head);
    parser->depth--;
    return value;
}

tap_err tap_cbor_parse(json_t **out, const void *bytes, size_t n, struct tap_error *err)
{
    struct tap_error ignored;
    struct parser parser = {.start = bytes, .at = bytes, .err = err ? err : &ignored};
    parser.end = parser.start + n;
    tap_error_clear(parser.err);
    *out = NULL;
    if (n > TAP_MAX_DOCUMENT)
        return tap_fail(err, TAP_E_LIMIT, "TooLarge", "the CBOR has %zu bytes; at most %d are read",
                        n, TAP_MAX_DOCUMENT);
    json_t *value = read_item(&parser);
    if (value && left(&parser))
        malformed(&parser, "the CBOR goes on after its end");
    if (parser.err->code)
        json_decref(value);
    else
        *out = value;
    return parser.err->code;
}

/* ---- writing ---- */

/* The head in its shortest form. */
static void put_head(struct tap_buf *out, enum major major, uint64_t value)
{
    unsigned type = (unsigned)major << 5;
    size_t n = value < 24            ? 0
               : value <= UINT8_MAX  ? 1
               : value <= UINT16_MAX ? 2
               : value <= UINT32_MAX ? 4
                                     : 8;
    unsigned info = n == 0 ? (unsigned)value : n == 1 ? 24 : n == 2 ? 25 : n == 4 ? 26 : 27;
    tap_buf_putc(out, (char)(type | info));
    while (n)
        tap_buf_putc(out, (char)(value >> 8 * --n & 0xFF));
}

/* A simple value's head with all its bytes: floats are never shortened. */
static void put_bits(struct tap_buf *out, unsigned info, uint64_t bits, size_t n)
{
    tap_buf_putc(out, (char)(SIMPLE << 5 | info));
    while (n)
        tap_buf_putc(out, (char)(bits >> 8 * --n & 0xFF));
}

void tap_cbor_put_integer(struct tap_buf *out, int64_t value)
{
    if (value < 0)
        put_head(out, NEGATIVE, (uint64_t)(-1 - value));
    else
        put_head(out, UNSIGNED, (uint64_t)value);
}

void tap_cbor_put_float(struct tap_buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bits(out, SINGLE, bits, sizeof bits);
}

void tap_cbor_put_double(struct tap_buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bits(out, DOUBLE, bits, sizeof bits);
}

void tap_cbor_put_boolean(struct tap_buf *out, bool value)
{
    put_bits(out, value ? TRUE : FALSE, 0, 0);
}

void tap_cbor_put_null(struct tap_buf *out)
{
    put_bits(out, NIL, 0, 0);
}

void tap_cbor_put_text(struct tap_buf *out, const char *text, size_t n)
{
    put_head(out, TEXT, n);
    tap_buf_add(out, text, n);
}

void tap_cbor_put_bytes(struct tap_buf *out, const void *bytes, size_t n)
{
    put_head(out, BYTES, n);
    tap_buf_add(out, bytes, n);
}

void tap_cbor_put_time(struct tap_buf *out, double seconds)
{
    put_head(out, TAG, TIME);
    tap_cbor_put_double(out, seconds);
}

void tap_cbor_put_array(struct tap_buf *out, size_t n)
{
    put_head(out, ARRAY, n);
}

void tap_cbor_put_map(struct tap_buf *out, size_t n)
{
    put_head(out, MAP, n);
}
