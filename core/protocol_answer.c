/*
 * The errors of services, and answers that cannot be read. See protocol_answer.h.
 */
#include "protocol_answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "protocol.h"

enum { EXCERPT = 160 };

/* What a status means, for answers without a body (HEAD has none). */
static const struct {
    int status;
    const char *text;
} statuses[] = {
    {301, "moved permanently"},   {304, "not modified"},          {307, "temporary redirect"},
    {400, "bad request"},         {401, "unauthorized"},          {403, "forbidden"},
    {404, "not found"},           {405, "method not allowed"},    {409, "conflict"},
    {412, "precondition failed"}, {413, "content too large"},     {416, "range not satisfiable"},
    {429, "too many requests"},   {500, "internal server error"}, {502, "bad gateway"},
    {503, "service unavailable"}, {504, "gateway timeout"},
};

static const char *status_text(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return NULL;
}

/* The start of a body on one line, for a message; what cannot be printed becomes a dot. */
static void excerpt(char out[EXCERPT], const struct tap_buf *body)
{
    const char *text = tap_buf_text(body);
    size_t n = 0;
    bool blank = true;
    for (size_t i = 0; i < body->len && n + 4 < EXCERPT; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isspace(c) && blank)
            continue;
        blank = isspace(c) != 0;
        out[n++] = (char)(blank ? ' ' : c < 0x20 || c >= 0x7F ? '.' : c);
    }
    out[n] = '\0';
}

bool tap_answer_is_blank(const struct tap_response *response)
{
    for (size_t i = 0; i < response->body.len; i++)
        if (!isspace((unsigned char)response->body.data[i]))
            return false;
    return true;
}

tap_err tap_answer_unread(struct tap_error *err, const struct tap_model *model,
                          const struct tap_response *response, const char *format,
                          const struct tap_error *why)
{
    char start[EXCERPT], place[32] = "";
    if (why->code == TAP_E_PROTOCOL || why->code == TAP_E_SERVICE) {
        if (err)
            *err = *why;
        return why->code;
    }
    excerpt(start, &response->body);
    if (why->line)
        snprintf(place, sizeof place, "line %u: ", why->line);
    return tap_fail(err, TAP_E_PROTOCOL, "UnexpectedAnswer",
                    "the answer is not the %s that %s writes (%s%s); it begins: %s", format,
                    tap_model_service(model), place, why->message, start);
}

void tap_answer_error(struct tap_error *err, const struct tap_model *model,
                      const struct tap_response *response)
{
    char name[16], start[EXCERPT];
    const char *meaning = status_text(response->status);
    snprintf(name, sizeof name, "HTTP%d", response->status);
    excerpt(start, &response->body);
    if (*start)
        tap_fail(err, TAP_E_SERVICE, name,
                 "the service answered with HTTP status %d and no error that can be read; the "
                 "answer begins: %s",
                 response->status, start);
    else
        tap_fail(err, TAP_E_SERVICE, name,
                 "the service answered with HTTP status %d and nothing else%s%s%s",
                 response->status, meaning ? " (" : "", meaning ? meaning : "", meaning ? ")" : "");
    err->http_status = response->status;
    tap_error_copy(err->service, sizeof err->service, tap_model_service(model));
    tap_error_copy(err->request_id, sizeof err->request_id, tap_response_request_id(response));
}

/* The body says what the error is called, and perhaps why. */
static void say(struct tap_error *err, const char *name, size_t n, const char *message)
{
    char *copy = tap_strndup(name, n);
    tap_error_copy(err->name, sizeof err->name, copy);
    tap_free(copy);
    if (message && *message)
        tap_error_copy(err->message, sizeof err->message, message);
    else
        snprintf(err->message, sizeof err->message, "the service gave no reason (HTTP status %d)",
                 err->http_status);
}

/* ---- JSON ---- */

static const char *first_text(const json_t *body, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_object_get(body, names[i]));
        if (text && *text)
            return text;
    }
    return NULL;
}

/* "aws.protocols#FooError:http://internal.example/" -> "FooError" */
static const char *plain_name(const char *text, size_t *n)
{
    size_t end = strcspn(text, ":");
    const char *hash = memchr(text, '#', end);
    if (hash) {
        end -= (size_t)(hash + 1 - text);
        text = hash + 1;
    }
    *n = end;
    return text;
}

void tap_answer_json_error(struct tap_error *err, const struct tap_response *response,
                           const json_t *body)
{
    static const char *const names[] = {"__type", "code", "Code"};
    static const char *const messages[] = {"message", "Message", "errorMessage"};
    const char *query = tap_headers_get(&response->headers, "x-amzn-query-error");
    const char *name = tap_headers_get(&response->headers, "x-amzn-errortype");
    const char *message = first_text(body, messages, sizeof messages / sizeof *messages);
    size_t n = 0;
    if (!name || !*name)
        name = first_text(body, names, sizeof names / sizeof *names);
    if (name)
        name = plain_name(name, &n);
    if (query && strcspn(query, ";")) {
        name = query;
        n = strcspn(query, ";");
    }
    if (n)
        say(err, name, n, message);
    else if (message)
        tap_error_copy(err->message, sizeof err->message, message);
}

void tap_answer_parse_json_error(struct tap_error *err, const struct tap_model *model,
                                 const struct tap_response *response)
{
    json_t *body = NULL;
    tap_answer_error(err, model, response);
    tap_json_parse(&body, tap_buf_text(&response->body), response->body.len, NULL, NULL);
    tap_answer_json_error(err, response, body);
    json_decref(body);
}

/* ---- XML ---- */

static const struct tap_xml *find_error(const struct tap_xml *root)
{
    const struct tap_xml *errors = tap_xml_child(root, "Errors");
    const struct tap_xml *error = tap_xml_child(errors ? errors : root, "Error");
    return error ? error : strcmp(root->name, "Error") == 0 ? root : NULL;
}

static void read_request_id(struct tap_error *err, const struct tap_xml *root)
{
    static const char *const names[] = {"RequestId", "RequestID"};
    const struct tap_xml *places[] = {root, tap_xml_child(root, "ResponseMetadata")};
    for (size_t i = 0; i < 4; i++) {
        const struct tap_xml *place = places[i / 2];
        const char *id = place ? tap_xml_child_text(place, names[i % 2]) : NULL;
        if (id && *id)
            tap_error_copy(err->request_id, sizeof err->request_id, id);
    }
}

void tap_answer_xml_error(struct tap_error *err, const struct tap_xml *root)
{
    const struct tap_xml *error = find_error(root);
    const char *name = error ? tap_xml_child_text(error, "Code") : NULL;
    const char *message = error ? tap_xml_child_text(error, "Message") : NULL;
    if (error && !message)
        message = tap_xml_child_text(error, "message");
    if (name && *name)
        say(err, name, strlen(name), message);
    read_request_id(err, root);
}

void tap_answer_parse_xml_error(struct tap_error *err, const struct tap_model *model,
                                const struct tap_response *response)
{
    struct tap_xml *root = NULL;
    tap_answer_error(err, model, response);
    if (tap_xml_parse(&root, tap_buf_text(&response->body), response->body.len, NULL))
        return;
    tap_answer_xml_error(err, root);
    tap_xml_free(root);
}

/* ---- errors of services that once spoke query ---- */

bool tap_model_is_query_compatible(const struct tap_model *model)
{
    return json_object_get(tap_model_metadata(model), "awsQueryCompatible") != NULL;
}

static const char *shape_in(const struct tap_model *model, const json_t *errors, const char *code)
{
    size_t i;
    const json_t *ref;
    json_array_foreach(errors, i, ref)
    {
        const char *name = json_string_value(json_object_get(ref, "shape"));
        const json_t *error = json_object_get(tap_model_shape(model, name), "error");
        const char *wire = json_string_value(json_object_get(error, "code"));
        if (wire && strcmp(wire, code) == 0)
            return name;
    }
    return NULL;
}

static const char *shape_of_code(const struct tap_model *model, const char *code)
{
    size_t n;
    const char *const *names = tap_model_operations(model, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *operation = NULL;
        tap_model_operation(&operation, model, names[i], NULL);
        const char *shape = shape_in(model, json_object_get(operation, "errors"), code);
        if (shape)
            return shape;
    }
    return code;
}

const char *tap_answer_begin_error(struct tap_response *out, const struct tap_model *model,
                                   const struct tap_error *error)
{
    const char *shape = shape_of_code(model, error->name);
    if (tap_model_is_query_compatible(model)) {
        char *both =
            tap_sprintf("%s;%s", error->name, error->http_status < 500 ? "Sender" : "Receiver");
        tap_headers_set(&out->headers, "x-amzn-query-error", both);
        tap_free(both);
    }
    return shape;
}
