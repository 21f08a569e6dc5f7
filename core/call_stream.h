/*
 * The files of a call: what its body is read from, and what its answer's body becomes. Two things
 * take time here, the sums of the one before it is sent and of the other after it has come.
 */
#ifndef TAP_CALL_STREAM_H
#define TAP_CALL_STREAM_H

#include "call.h"
#include "message.h"
#include "protocol_checksum.h"
#include "sink.h"

struct tap_call_stream {
    struct tap_checksum asked; /* of the request's stretch */
    struct tap_checksum told;  /* of the answer's body */
    struct tap_sink *sink;     /* NULL: the answer is read into memory */
    const char *member;        /* of the output, that is in the sink */
};

/* Opens the files that `streams` names (NULL: none): the request gets its stretch, and the input
 * its member, empty. TAP_E_USAGE "NoStream" when the operation has no such member, or the input has
 * it, too; else what opening a file fails with. */
tap_err tap_call_stream_open(struct tap_call_stream *stream, struct tap_request *request,
                             json_t *input, const struct tap_streams *streams,
                             const struct tap_model *model, const json_t *operation,
                             struct tap_error *err);
void tap_call_stream_fini(struct tap_call_stream *stream);

/* Starts to read the sums that the request needs: the checksum that is asked for, and, unless
 * `unsigned_payload`, the one that is signed. NULL when it has no stretch. */
struct tap_op *tap_call_stream_sums(struct tap_call_stream *stream, struct tap_loop *loop,
                                    struct tap_request *request, bool unsigned_payload);
/* Puts them into the request's headers. `sums` has finished without error. */
void tap_call_stream_summed(struct tap_call_stream *stream, struct tap_request *request,
                            struct tap_op *sums, bool unsigned_payload);

/* Starts to read what has come, when the answer tells a sum of it. *out is NULL when there is
 * nothing to check. */
tap_err tap_call_stream_check(struct tap_op **out, struct tap_call_stream *stream,
                              struct tap_loop *loop, const json_t *operation,
                              const struct tap_response *response, struct tap_error *err);
/* Compares: TAP_E_NETWORK "ChecksumMismatch". */
tap_err tap_call_stream_checked(struct tap_call_stream *stream, struct tap_op *sums,
                                const struct tap_headers *headers, struct tap_error *err);

#endif
