/*
 * The last answer that a client has read. Who waits for something asks the same thing again and
 * again, and mostly hears the same: a page of a stack's events that nothing was added to. Such an
 * answer is not parsed once more.
 */
#ifndef TAP_PROTOCOL_REPEAT_H
#define TAP_PROTOCOL_REPEAT_H

#include "protocol.h"

struct tap_last_answer {
    const json_t *operation; /* NULL: none is remembered */
    struct tap_buf body;
    char *request_id;
    json_t *output;
    int64_t number; /* the caller's, of this answer */
};

/* The output of the answer before when this one says the same, its own request id aside; else NULL.
 * A new reference to what others may hold, too: not to be changed. */
json_t *tap_last_answer_again(const struct tap_last_answer *last, const json_t *operation,
                              const struct tap_response *response);
/* Remembers an answer in place of the one before, unless it is so small that parsing costs little,
 * so large that keeping it costs much, or its output is not of the body alone (then nothing
 * changes). */
void tap_last_answer_keep(struct tap_last_answer *last, const struct tap_protocol *protocol,
                          const json_t *operation, const struct tap_response *response,
                          json_t *output, int64_t number);
void tap_last_answer_fini(struct tap_last_answer *last);

#endif
