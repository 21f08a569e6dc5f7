/*
 * HTTP messages as data: header lists and the two structs that own them. See message.h.
 */
#include "message.h"

#include <string.h>
#include <strings.h>

#include "mem.h"

void tap_headers_add(struct tap_headers *headers, const char *name, const char *value)
{
    headers->items = tap_grow(headers->items, headers->n, &headers->cap, sizeof *headers->items);
    headers->items[headers->n].name = tap_strdup(name);
    headers->items[headers->n].value = tap_strdup(value);
    headers->n++;
}

void tap_headers_remove(struct tap_headers *headers, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < headers->n; i++) {
        struct tap_header *header = &headers->items[i];
        if (strcasecmp(header->name, name) != 0) {
            headers->items[kept++] = *header;
            continue;
        }
        tap_free(header->name);
        tap_free_secret(header->value);
    }
    headers->n = kept;
}

void tap_headers_set(struct tap_headers *headers, const char *name, const char *value)
{
    char *copy = tap_strdup(value); /* value may belong to the header that goes */
    tap_headers_remove(headers, name);
    tap_headers_add(headers, name, copy);
    tap_free_secret(copy);
}

const char *tap_headers_get(const struct tap_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->n; i++)
        if (strcasecmp(headers->items[i].name, name) == 0)
            return headers->items[i].value;
    return NULL;
}

void tap_headers_fini(struct tap_headers *headers)
{
    for (size_t i = 0; i < headers->n; i++) {
        tap_free(headers->items[i].name);
        tap_free_secret(headers->items[i].value); /* Authorization, X-Amz-Security-Token */
    }
    tap_free(headers->items);
    memset(headers, 0, sizeof *headers);
}

void tap_set(char **field, const char *value)
{
    char *copy = tap_strdup(value);
    tap_free(*field);
    *field = copy;
}

void tap_request_init(struct tap_request *request)
{
    memset(request, 0, sizeof *request);
    tap_buf_init(&request->body, TAP_MAX_BODY);
}

void tap_request_fini(struct tap_request *request)
{
    tap_free(request->method);
    tap_free(request->scheme);
    tap_free(request->host);
    tap_free_secret(request->target);
    tap_headers_fini(&request->headers);
    tap_buf_fini(&request->body);
    tap_stretch_release(request->stretch);
    tap_request_init(request);
}

void tap_response_init(struct tap_response *response)
{
    memset(response, 0, sizeof *response);
    tap_buf_init(&response->body, TAP_MAX_BODY);
}

void tap_response_fini(struct tap_response *response)
{
    tap_headers_fini(&response->headers);
    tap_buf_fini(&response->body);
    tap_response_init(response);
}
