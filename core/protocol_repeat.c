/*
 * Recognising an answer that says what the one before said. See protocol_repeat.h.
 */
#include "protocol_repeat.h"

#include <string.h>

#include "mem.h"

enum { LEAST = 8 * 1024, MOST = 1024 * 1024 }; /* bytes of a body that is worth keeping */

static bool says_the_same(const struct tap_last_answer *last, const char *body, const char *id)
{
    const char *before = tap_buf_text(&last->body);
    size_t len = last->body.len, id_len = strlen(id);
    if (strlen(last->request_id) != id_len)
        return false;
    const char *named = id_len ? memmem(before, len, last->request_id, id_len) : NULL;
    if (!named)
        return memcmp(before, body, len) == 0;
    size_t head = (size_t)(named - before), tail = head + id_len;
    return memcmp(before, body, head) == 0 && memcmp(body + head, id, id_len) == 0 &&
           memcmp(before + tail, body + tail, len - tail) == 0;
}

json_t *tap_last_answer_again(const struct tap_last_answer *last, const json_t *operation,
                              const struct tap_response *response)
{
    if (last->operation != operation || last->body.len != response->body.len ||
        !says_the_same(last, tap_buf_text(&response->body), tap_response_request_id(response)))
        return NULL;
    return json_incref(last->output);
}

void tap_last_answer_keep(struct tap_last_answer *last, const struct tap_protocol *protocol,
                          const json_t *operation, const struct tap_response *response,
                          json_t *output, int64_t number)
{
    size_t len = response->body.len;
    if (!protocol->body_alone || len < LEAST || len > MOST)
        return;
    tap_last_answer_fini(last);
    last->operation = operation;
    tap_buf_init(&last->body, len);
    tap_buf_add(&last->body, tap_buf_text(&response->body), len);
    last->request_id = tap_strdup(tap_response_request_id(response));
    last->output = json_incref(output);
    last->number = number;
}

void tap_last_answer_fini(struct tap_last_answer *last)
{
    tap_buf_fini_secret(&last->body);
    tap_free(last->request_id);
    json_decref(last->output);
    *last = (struct tap_last_answer){0};
}
