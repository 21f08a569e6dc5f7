/*
 * For targets that read messages of a protocol: an input is header lines, an empty line, and a
 * body; without an empty line it is a body alone. A request begins with the line "METHOD TARGET".
 */
#ifndef TAP_SPEC_FUZZ_MESSAGE_H
#define TAP_SPEC_FUZZ_MESSAGE_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/protocol.h"

/* Where the body begins. */
static inline size_t read_head(struct tap_headers *headers, const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = text + size;
    const char *blank = size ? memmem(text, size, "\n\n", 2) : NULL;
    while (blank && text < blank) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        char *line = tap_strndup(text, (size_t)(line_end - text));
        char *colon = strstr(line, ": ");
        if (colon) {
            *colon = '\0';
            tap_headers_add(headers, line, colon + 2);
        }
        tap_free(line);
        text = line_end + 1;
    }
    return blank ? (size_t)(blank + 2 - (const char *)data) : 0;
}

static inline const struct tap_protocol *protocol_of(const struct tap_model **model,
                                                     const char *service)
{
    const struct tap_protocol *protocol = NULL;
    assert(!tap_model_load(model, service, NULL) && !tap_protocol_of(&protocol, *model, NULL));
    return protocol;
}

/* Reads the input as an error and as an answer; what was read can be written. */
static inline void fuzz_answer(const char *service, const char *name, const uint8_t *data,
                               size_t size)
{
    const struct tap_model *model = NULL;
    const struct tap_protocol *protocol = protocol_of(&model, service);
    const json_t *operation = NULL;
    json_t *output = NULL;
    struct tap_response response;
    struct tap_error err;
    assert(!tap_model_operation(&operation, model, name, NULL));
    tap_response_init(&response);
    size_t head = read_head(&response.headers, data, size);
    tap_buf_add(&response.body, data + head, size - head);
    response.status = 400;
    protocol->parse_error(&err, model, &response);
    assert(err.code == TAP_E_SERVICE && err.name[0] && err.message[0] && err.http_status == 400);
    response.status = 200;
    tap_err code = protocol->parse_response(&output, model, operation, &response, &err);
    assert(!code == (output != NULL) && (!code || (err.code == code && err.message[0])));
    if (!code)
        protocol->write_response(&response, model, operation, output, "id");
    json_decref(output);
    tap_response_fini(&response);
}

/* Reads the input as a request; what was read can be checked, and is sent again if it holds. */
static inline void fuzz_request(const char *service, const uint8_t *data, size_t size)
{
    const struct tap_model *model = NULL;
    const struct tap_protocol *protocol = protocol_of(&model, service);
    const json_t *operation = NULL;
    json_t *input = NULL;
    struct tap_request request, again;
    struct tap_error err;
    char *text = tap_strndup((const char *)data, size), *line = text;
    tap_request_init(&request);
    tap_request_init(&again);
    size_t n = strcspn(line, "\n"), method = strcspn(line, " \n");
    line[n] = '\0';
    size_t head = n < size ? n + 1 : n;
    tap_set(&request.target, method < n ? line + method + 1 : "/");
    line[method] = '\0';
    tap_set(&request.method, line);
    head += read_head(&request.headers, data + head, size - head);
    tap_buf_add(&request.body, data + head, size - head);
    tap_err code = protocol->read_request(&operation, &input, model, &request, &err);
    assert(!code == (input != NULL) && (!code || err.http_status >= 400));
    if (!code && !tap_validate_input(model, operation, input, &err))
        protocol->build_request(&again, model, operation, input, &err);
    json_decref(input);
    tap_request_fini(&request);
    tap_request_fini(&again);
    tap_free(text);
}

#endif
