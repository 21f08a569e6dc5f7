/*
 * Calls whose bodies are files. See call_stream.h.
 *
 * The sums are headers, in front of the body, and not a trailer behind it: every service takes
 * them, through every proxy, at the price of reading the file twice. Over TLS, S3 lets the payload
 * be unsigned (its checksum is signed); anything else gets its SHA-256.
 */
#include "call_stream.h"

#include "digest_op.h"
#include "mem.h"
#include "protocol_shape.h"
#include "text.h"

enum { CHECKSUM, PAYLOAD }; /* places of a request's sums */

static tap_err no_stream(struct tap_error *err, const json_t *operation, const char *what)
{
    return tap_fail(err, TAP_E_USAGE, "NoStream", "%s %s no file",
                    json_string_value(json_object_get(operation, "name")), what);
}

static tap_err open_body(struct tap_request *request, json_t *input,
                         const struct tap_streams *streams, const struct tap_model *model,
                         const json_t *operation, struct tap_error *err)
{
    const char *member = tap_stream_member(model, operation, "input");
    if (!member)
        return no_stream(err, operation, "sends");
    const json_t *given = json_object_get(input, member);
    if (given && !json_is_null(given))
        return tap_fail(err, TAP_E_USAGE, "NoStream", "%s: given as a value and as a file", member);
    json_object_set_new(input, member, json_string(""));
    return tap_stretch_open(&request->stretch, streams->from, streams->offset,
                            streams->size ? streams->size : -1, err);
}

tap_err tap_call_stream_open(struct tap_call_stream *stream, struct tap_request *request,
                             json_t *input, const struct tap_streams *streams,
                             const struct tap_model *model, const json_t *operation,
                             struct tap_error *err)
{
    tap_err code = TAP_OK;
    if (streams && streams->to) {
        stream->member = tap_stream_member(model, operation, "output");
        code = stream->member ? tap_sink_open(&stream->sink, streams->to, err)
                              : no_stream(err, operation, "gives");
    }
    if (!code && streams && streams->from)
        code = open_body(request, input, streams, model, operation, err);
    return code;
}

void tap_call_stream_fini(struct tap_call_stream *stream)
{
    tap_free(stream->asked.header);
    tap_free(stream->told.header);
    tap_sink_free(stream->sink);
    *stream = (struct tap_call_stream){0};
}

struct tap_op *tap_call_stream_sums(struct tap_call_stream *stream, struct tap_loop *loop,
                                    struct tap_request *request, bool unsigned_payload)
{
    const char *algorithms[TAP_MAX_DIGESTS] = {
        [CHECKSUM] = stream->asked.algorithm, [PAYLOAD] = unsigned_payload ? NULL : "SHA256"};
    return request->stretch ? tap_digest_start(loop, request->stretch, algorithms) : NULL;
}

void tap_call_stream_summed(struct tap_call_stream *stream, struct tap_request *request,
                            struct tap_op *sums, bool unsigned_payload)
{
    uint8_t sum[TAP_MAX_DIGEST];
    char hash[2 * TAP_MAX_DIGEST + 1] = "UNSIGNED-PAYLOAD";
    if (stream->asked.algorithm) {
        size_t n = tap_digest_sum(sums, CHECKSUM, sum);
        tap_checksum_set(&request->headers, stream->asked.header, sum, n);
    }
    if (!unsigned_payload)
        tap_hex(hash, sum, tap_digest_sum(sums, PAYLOAD, sum));
    tap_headers_set(&request->headers, "x-amz-content-sha256", hash);
}

tap_err tap_call_stream_check(struct tap_op **out, struct tap_call_stream *stream,
                              struct tap_loop *loop, const json_t *operation,
                              const struct tap_response *response, struct tap_error *err)
{
    struct tap_stretch *written = NULL;
    *out = NULL;
    tap_free(stream->told.header);
    stream->told = tap_checksum_told(operation, &response->headers);
    tap_err code =
        stream->told.algorithm ? tap_sink_read_back(&written, stream->sink, err) : TAP_OK;
    if (written) {
        const char *algorithms[TAP_MAX_DIGESTS] = {stream->told.algorithm};
        *out = tap_digest_start(loop, written, algorithms);
        tap_stretch_release(written);
    }
    return code;
}

tap_err tap_call_stream_checked(struct tap_call_stream *stream, struct tap_op *sums,
                                const struct tap_headers *headers, struct tap_error *err)
{
    uint8_t sum[TAP_MAX_DIGEST];
    size_t n = tap_digest_sum(sums, 0, sum);
    return tap_checksum_compare(headers, stream->told.header, sum, n, err);
}
