/*
 * gzip of request bodies by zlib. See protocol_gzip.h.
 */
#include "protocol_gzip.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "mem.h"

enum {
    WORTH_IT = 10240,  /* bytes; the AWS SDKs' default */
    GZIP_WRAPPER = 16, /* zlib's way of saying "gzip, not zlib" in windowBits */
    STEP = 64 * 1024
};

static bool wants_gzip(const json_t *operation)
{
    const json_t *trait = json_object_get(operation, "requestcompression");
    const json_t *encodings = json_object_get(trait, "encodings");
    size_t i;
    const json_t *name;
    json_array_foreach(encodings, i,
                       name) if (json_is_string(name) &&
                                 strcmp(json_string_value(name), "gzip") == 0) return true;
    return false;
}

/* After what the caller encoded it with. */
static void add_encoding(struct tap_headers *headers)
{
    const char *before = tap_headers_get(headers, "Content-Encoding");
    char *all = before && *before ? tap_sprintf("%s, gzip", before) : tap_strdup("gzip");
    tap_headers_set(headers, "Content-Encoding", all);
    tap_free(all);
}

void tap_compress_request(struct tap_request *request, const json_t *operation)
{
    if (request->body.len < WORTH_IT || !wants_gzip(operation))
        return;
    z_stream zip = {0};
    if (deflateInit2(&zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    size_t room = deflateBound(&zip, (uLong)request->body.len);
    char *packed = tap_alloc(room);
    zip.next_in = (Bytef *)request->body.data;
    zip.avail_in = (uInt)request->body.len;
    zip.next_out = (Bytef *)packed;
    zip.avail_out = (uInt)room;
    if (deflate(&zip, Z_FINISH) == Z_STREAM_END) {
        tap_buf_reset(&request->body);
        tap_buf_add(&request->body, packed, zip.total_out);
        add_encoding(&request->headers);
    }
    deflateEnd(&zip);
    tap_free(packed);
}

static bool gunzip(struct tap_buf *out, const struct tap_buf *body)
{
    z_stream zip = {0};
    if (inflateInit2(&zip, MAX_WBITS + GZIP_WRAPPER) != Z_OK)
        return false;
    char *step = tap_alloc(STEP);
    zip.next_in = (Bytef *)tap_buf_text(body);
    zip.avail_in = (uInt)body->len;
    int code;
    do {
        zip.next_out = (Bytef *)step;
        zip.avail_out = STEP;
        code = inflate(&zip, Z_NO_FLUSH);
        tap_buf_add(out, step, STEP - zip.avail_out);
    } while (code == Z_OK && !out->overflow);
    inflateEnd(&zip);
    tap_free(step);
    return code == Z_STREAM_END && !out->overflow;
}

const struct tap_buf *tap_plain_body(struct tap_buf *plain, const struct tap_request *request)
{
    const char *encoding = tap_headers_get(&request->headers, "Content-Encoding");
    if (!encoding || strcasecmp(encoding, "gzip") != 0)
        return &request->body;
    return gunzip(plain, &request->body) ? plain : NULL;
}
