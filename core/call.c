/*
 * One call: the state machine between "this input" and "that output". The request is built once, so
 * that every attempt carries the same idempotency token; each attempt is signed anew, waited for as
 * an inner http operation, and judged; between two attempts a timer runs.
 *
 *     tap_client_call -> begin -> send -> attempt_done -> finished
 *                        ^   |     ^           |
 *                        |   +- credentials    |
 *                        +------ timer <-------+ (retry.c says again, or retry_rate.c not yet)
 *
 * A file that is sent is read for its sums before the first attempt, one that has come after the
 * last (call_stream.h). A deadline for the whole, if one is set, ends it wherever it is.
 */
#include "call.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "bucket.h"
#include "call_build.h"
#include "crypto.h"
#include "customs.h"
#include "mem.h"
#include "op.h"
#include "retry_model.h"
#include "sigv4.h"
#include "version.h"

struct call_op {
    struct tap_op op;
    struct tap_client *client;
    const json_t *operation; /* the model's */
    struct tap_call_parts parts;
    json_t *place; /* what of the input a bucket's endpoint depends on, or NULL; see bucket.h */
    bool referred; /* to the bucket's region: that is followed once */
    struct tap_retry retry;
    struct tap_op *http;  /* the attempt under way, or NULL */
    struct tap_op *fresh; /* the wait for credentials under way, or NULL */
    struct tap_op *sums;  /* of a file that will be sent, or has come, under way, or NULL */
    struct tap_op *came;  /* the attempt whose file that is, finished; NULL: it will be sent */
    unsigned generation;  /* of the credentials that the attempt was signed with */
    struct tap_timer pause;
    struct tap_timer deadline; /* of the whole call */
    char id[TAP_UUID_SIZE];    /* one for all attempts: amz-sdk-invocation-id */
    int sent;                  /* requests so far */
    int64_t started;           /* of the attempt, loop's ms */
    int64_t skew_ms;           /* that the attempt was signed with */
    char last_error[96];       /* what made us send again, "" for nothing */
    bool prepare;              /* it is over when the first attempt could be sent */
    json_t *output;
    int64_t answer; /* its number */
    char *request_id;
};

static const char *operation_name(const json_t *operation)
{
    return json_string_value(json_object_get(operation, "name"));
}

/* ---- attempts ---- */

static tap_err sign(struct call_op *call, struct tap_error *err)
{
    const struct tap_client *client = call->client;
    call->skew_ms = client->skew_ms;
    if (client->provider)
        call->generation = tap_provider_generation(client->provider);
    struct tap_signing signing = tap_call_signing_of(client, &call->parts, call->skew_ms);
    return tap_sigv4_sign(&call->parts.request, &signing, err);
}

/* Every error that leaves a client passes here: it says whose it is, and shows no secret, even when
 * the service repeats one in its message. */
static void name_error(struct tap_error *error, const struct tap_client *client,
                       const json_t *operation)
{
    char *shown = tap_redact(error->message);
    tap_error_copy(error->message, sizeof error->message, shown);
    tap_free(shown);
    tap_error_copy(error->service, sizeof error->service, tap_model_service(client->model));
    if (operation)
        tap_error_copy(error->operation, sizeof error->operation, operation_name(operation));
}

static void give_up(struct call_op *call, struct tap_error *error)
{
    name_error(error, call->client, call->operation);
    tap_op_finish(&call->op, error);
}

/* Fields that all log lines have. Never the body, a parameter or a header. */
static json_t *log_fields(const struct call_op *call, int attempt, const struct tap_error *error)
{
    json_t *fields = json_pack(
        "{s:s, s:s, s:s, s:i}", "service", tap_model_service(call->client->model), "operation",
        operation_name(call->operation), "call", call->id, "attempt", attempt);
    const char *request_id = error ? error->request_id : call->request_id;
    if (request_id && *request_id)
        json_object_set_new(fields, "request_id", json_string(request_id));
    if (error)
        json_object_set_new(fields, "error", json_string(error->name));
    return fields;
}

/* True when the rate limiter holds the attempt back: it asks again after the pause. */
static bool is_held_back(struct call_op *call)
{
    struct tap_client *client = call->client;
    if (client->retry_mode != TAP_RETRY_ADAPTIVE || call->prepare)
        return false;
    int64_t wait_ms = tap_retry_rate_ask(&client->rate, tap_loop_now(client->loop));
    if (wait_ms == 0)
        return false;
    json_t *fields = log_fields(call, call->retry.attempt, NULL);
    json_object_set_new(fields, "delay_ms", json_integer(wait_ms));
    tap_log_write(client->log, TAP_LOG_DEBUG, tap_loop_wall(client->loop), "request held back",
                  fields);
    json_decref(fields);
    tap_timer_set(client->loop, &call->pause, wait_ms);
    return true;
}

static void send_attempt(struct call_op *call)
{
    if (is_held_back(call))
        return;
    char attempt[64];
    snprintf(attempt, sizeof attempt, "attempt=%d; max=%d", call->retry.attempt,
             call->retry.max_attempts);
    tap_headers_set(&call->parts.request.headers, "amz-sdk-request", attempt);
    struct tap_error error;
    if (!tap_call_is_anonymous(call->client, call->operation) && sign(call, &error)) {
        give_up(call, &error);
        return;
    }
    if (call->prepare) {
        tap_op_finish(&call->op, NULL);
        return;
    }
    struct tap_http_options http = call->client->http;
    http.sink = call->parts.stream.sink;
    if (http.sink && tap_sink_restart(http.sink, &error)) {
        give_up(call, &error);
        return;
    }
    call->started = tap_loop_now(call->client->loop);
    call->http = tap_http_start(call->client->loop, &call->parts.request, &http);
    tap_op_own(&call->op, call->http);
    call->sent++;
}

/* Sends it, as soon as there are credentials. */
static void begin_attempt(struct call_op *call)
{
    struct tap_client *client = call->client;
    struct tap_error error;
    enum tap_provider_answer answer = TAP_PROVIDER_READY;
    if (client->provider && !tap_call_is_anonymous(client, call->operation))
        answer = tap_provider_ask(client->provider, tap_loop_wall(client->loop), &error);
    switch (answer) {
    case TAP_PROVIDER_READY: send_attempt(call); return;
    case TAP_PROVIDER_NONE: give_up(call, &error); return;
    case TAP_PROVIDER_WAIT:
        call->fresh = tap_provider_wait(client->loop, client->provider, client->log);
        tap_op_own(&call->op, call->fresh);
    }
}

static void credentials_done(struct call_op *call, struct tap_op *fresh)
{
    call->fresh = NULL;
    if (tap_op_error(fresh)) {
        struct tap_error error = *tap_op_error(fresh);
        give_up(call, &error);
    } else {
        send_attempt(call);
    }
    tap_op_free(fresh);
}

static void pause_over(struct tap_timer *timer)
{
    begin_attempt((struct call_op *)((char *)timer - offsetof(struct call_op, pause)));
}

static tap_err read_output(struct call_op *call, const struct tap_response *response,
                           struct tap_error *error)
{
    struct tap_client *client = call->client;
    if (!call->parts.stream.sink && tap_checksum_response(call->operation, response, error))
        return error->code;
    call->output = tap_last_answer_again(&client->last, call->operation, response);
    call->answer = call->output ? client->last.number : ++client->answers;
    if (call->output)
        return TAP_OK;
    tap_err code = client->protocol->parse_response(&call->output, client->model, call->operation,
                                                    response, error);
    if (call->parts.stream.sink)
        json_object_del(call->output, call->parts.stream.member);
    if (code == TAP_OK)
        tap_customs_output(call->output, client->model, call->operation, call->parts.names_encoded);
    if (code == TAP_OK)
        tap_last_answer_keep(&client->last, client->protocol, call->operation, response,
                             call->output, call->answer);
    return code;
}

/* Reads the answer: TAP_OK with the output, or why there is none. */
static tap_err read_answer(struct call_op *call, const struct tap_response *response,
                           struct tap_error *error)
{
    const struct tap_client *client = call->client;
    tap_err code = TAP_OK;
    if (response->status >= 200 && response->status < 300) {
        code = read_output(call, response, error);
    } else {
        tap_error_clear(error);
        client->protocol->parse_error(error, client->model, response);
        code = error->code;
    }
    tap_set(&call->request_id, tap_response_request_id(response));
    if (code == TAP_OK)
        return code;
    error->http_status = response->status;
    if (!error->request_id[0])
        tap_error_copy(error->request_id, sizeof error->request_id, call->request_id);
    tap_bucket_explain(error, response, call->parts.endpoint.signing_region);
    return code;
}

static void log_attempt(const struct call_op *call, const struct tap_response *response,
                        const struct tap_error *error)
{
    struct tap_loop *loop = call->client->loop;
    json_t *fields = log_fields(call, call->retry.attempt, error);
    if (response)
        json_object_set_new(fields, "status", json_integer(response->status));
    json_object_set_new(fields, "ms", json_integer(tap_loop_now(loop) - call->started));
    tap_log_write(call->client->log, TAP_LOG_DEBUG, tap_loop_wall(loop),
                  error ? "request failed" : "request answered", fields);
    json_decref(fields);
}

static void out_of_time(struct tap_timer *timer)
{
    struct call_op *call = (struct call_op *)((char *)timer - offsetof(struct call_op, deadline));
    struct tap_error error;
    tap_fail(&error, TAP_E_TIMEOUT, "CallTimeout", "no result within %g s; requests sent: %d%s%s",
             (double)call->client->call_timeout_ms / 1000, call->sent,
             *call->last_error ? "; last error: " : "", call->last_error);
    error.retryable = true;
    if (call->http)
        log_attempt(call, NULL, &error);
    give_up(call, &error);
}

static void log_retry(const struct call_op *call, const struct tap_retry_answer *answer,
                      const struct tap_error *error)
{
    json_t *fields = log_fields(call, call->retry.attempt - 1, error);
    json_object_set_new(fields, "why", json_string(tap_retry_class_name(answer->why)));
    json_object_set_new(fields, "delay_ms", json_integer(answer->delay_ms));
    tap_log_write(call->client->log, TAP_LOG_INFO, tap_loop_wall(call->client->loop),
                  "request will be sent again", fields);
    json_decref(fields);
}

/* A request went out and no answer came, so nobody knows what the service has done. */
static void log_doubt(const struct call_op *call, int attempt, const struct tap_error *error)
{
    if (!tap_retry_may_act_twice(call->client->model, call->operation))
        return;
    json_t *fields = log_fields(call, attempt, error);
    tap_log_write(call->client->log, TAP_LOG_INFO, tap_loop_wall(call->client->loop),
                  "sent again without a token: it may act twice", fields);
    json_decref(fields);
}

/* The rate limiter of the adaptive mode counts every attempt. */
static void count_attempt(struct tap_client *client, bool throttled)
{
    if (client->retry_mode == TAP_RETRY_ADAPTIVE)
        tap_retry_rate_ended(&client->rate, throttled, tap_loop_now(client->loop));
}

/* `unsent`: no byte of the request has left. */
static void attempt_failed(struct call_op *call, const struct tap_response *response, bool unsent,
                           struct tap_error *error)
{
    struct tap_client *client = call->client;
    struct tap_retry_failure failure = {
        .error = error,
        .response = response,
        .modelled = tap_retry_modelled(client->model, call->operation, error->name),
        .clock_ms = tap_loop_wall(client->loop) + call->skew_ms,
        .random = tap_retry_random(&client->random),
    };
    struct tap_retry_answer answer = tap_retry_failed(&call->retry, &failure);
    count_attempt(client, answer.why == TAP_RETRY_THROTTLED);
    if (!answer.again) {
        error->retryable = answer.why == TAP_RETRY_TRANSIENT || answer.why == TAP_RETRY_THROTTLED;
        tap_op_finish(&call->op, error);
        return;
    }
    if (answer.why == TAP_RETRY_CLOCK_SKEW)
        /* not +=: other calls under way learn the same */
        client->skew_ms = call->skew_ms + answer.skew_ms;
    if (answer.why == TAP_RETRY_EXPIRED)
        tap_provider_expired(client->provider, call->generation);
    log_retry(call, &answer, error);
    if (!response && !unsent)
        log_doubt(call, call->retry.attempt - 1, error);
    tap_error_copy(call->last_error, sizeof call->last_error, error->name);
    tap_timer_set(client->loop, &call->pause, answer.delay_ms);
}

/* The bucket is in another region, and the answer says in which: there it is asked for at once. */
static bool follow_bucket(struct call_op *call, const struct tap_response *response)
{
    struct tap_client *client = call->client;
    const char *region = NULL;
    if (response && call->place && !call->referred)
        region = tap_bucket_referral(response, call->parts.endpoint.signing_region);
    if (!region || !tap_bucket_follow(client, call->place, region, call->operation,
                                      &call->parts.endpoint, &call->parts.request))
        return false;
    call->referred = true;
    json_t *fields = log_fields(call, call->retry.attempt, NULL);
    json_object_set_new(fields, "region", json_string(region));
    tap_log_write(client->log, TAP_LOG_INFO, tap_loop_wall(client->loop),
                  "the bucket is in another region: asking there", fields);
    json_decref(fields);
    begin_attempt(call);
    return true;
}

/* An attempt is over: `error` says how, TAP_OK in it that all is well. Frees `http`. */
static void conclude(struct call_op *call, struct tap_op *http, struct tap_error *error)
{
    const struct tap_response *response = tap_op_error(http) ? NULL : tap_http_response(http);
    if (!error->code && call->parts.stream.sink)
        error->code = tap_sink_commit(call->parts.stream.sink, error);
    if (error->code) {
        name_error(error, call->client, call->operation);
        json_decref(call->output); /* of what came and was not what it should be */
        call->output = NULL;
    }
    log_attempt(call, response, error->code ? error : NULL);
    if (tap_http_resent(http))
        log_doubt(call, call->retry.attempt, error->code ? error : NULL);
    if (error->code && follow_bucket(call, response)) {
        count_attempt(call->client, false);
    } else if (error->code) {
        attempt_failed(call, response, tap_http_unsent(http), error);
    } else {
        count_attempt(call->client, false);
        tap_retry_succeeded(&call->retry);
        tap_op_finish(&call->op, NULL);
    }
    tap_op_free(http);
}

static void attempt_done(struct call_op *call, struct tap_op *http)
{
    call->http = NULL;
    const struct tap_error *unanswered = tap_op_error(http);
    const struct tap_response *response = unanswered ? NULL : tap_http_response(http);
    struct tap_error error;
    if (unanswered)
        error = *unanswered;
    else if (read_answer(call, response, &error) == TAP_OK)
        error.code = TAP_OK;
    if (!error.code && call->parts.stream.sink)
        error.code = tap_call_stream_check(&call->sums, &call->parts.stream, call->client->loop,
                                           call->operation, response, &error);
    if (!call->sums) {
        conclude(call, http, &error);
        return;
    }
    call->came = http;
    tap_op_own(&call->op, call->sums);
}

/* The file that came has been read again. */
static void came_as_told(struct call_op *call, struct tap_op *sums)
{
    struct tap_op *http = call->came;
    const struct tap_error *unread = tap_op_error(sums);
    struct tap_error error = {.code = TAP_OK};
    call->came = NULL;
    if (unread)
        error = *unread;
    else
        tap_call_stream_checked(&call->parts.stream, sums, &tap_http_response(http)->headers,
                                &error);
    conclude(call, http, &error);
}

static void sums_done(struct call_op *call, struct tap_op *sums)
{
    call->sums = NULL;
    if (call->came) {
        came_as_told(call, sums);
    } else if (tap_op_error(sums)) {
        struct tap_error error = *tap_op_error(sums);
        give_up(call, &error);
    } else {
        tap_call_stream_summed(&call->parts.stream, &call->parts.request, sums,
                               tap_call_may_be_unsigned(call->client, &call->parts));
        begin_attempt(call);
    }
    tap_op_free(sums);
}

static void inner_done(struct tap_op *op, struct tap_op *inner)
{
    struct call_op *call = (struct call_op *)op;
    if (inner == call->http)
        attempt_done(call, inner);
    else if (inner == call->sums)
        sums_done(call, inner);
    else
        credentials_done(call, inner);
}

/* ---- the operation ---- */

static void call_stop(struct tap_op *op)
{
    struct call_op *call = (struct call_op *)op;
    if (call->http)
        tap_op_cancel(call->http);
    if (call->fresh)
        tap_op_cancel(call->fresh);
    if (call->sums)
        tap_op_cancel(call->sums);
    call->http = call->fresh = call->sums = NULL;
    tap_timer_clear(op->loop, &call->pause);
    tap_timer_clear(op->loop, &call->deadline);
}

static void call_free(struct tap_op *op)
{
    struct call_op *call = (struct call_op *)op;
    if (call->came)
        tap_op_free(call->came);
    tap_call_parts_fini(&call->parts);
    json_decref(call->place);
    json_decref(call->output);
    tap_free(call->request_id);
    tap_client_release(call->client);
    tap_free(call);
}

static const struct tap_op_class call_class = {TAP_OP_CALL, call_stop, call_free, inner_done};

static tap_err refuse(struct tap_error *err, const struct tap_client *client,
                      const json_t *operation, struct tap_call_parts *parts)
{
    tap_call_parts_fini(parts);
    name_error(err, client, operation);
    return err->code;
}

/* Reads the file that will be sent, if there is one, and sends the first attempt. */
static void begin(struct call_op *call)
{
    call->sums = tap_call_stream_sums(&call->parts.stream, call->client->loop, &call->parts.request,
                                      tap_call_may_be_unsigned(call->client, &call->parts));
    if (call->sums)
        tap_op_own(&call->op, call->sums);
    else
        begin_attempt(call);
}

static struct call_op *new_call(struct tap_client *client, const json_t *operation,
                                struct tap_call_parts parts, const json_t *input)
{
    struct call_op *call = tap_alloc(sizeof *call);
    tap_op_init(&call->op, client->loop, &call_class);
    call->client = client;
    client->holders++;
    call->operation = operation;
    call->parts = parts;
    call->place = tap_bucket_place(client, operation, input);
    call->pause.fire = pause_over;
    call->deadline.fire = out_of_time;
    tap_uuid(call->id);
    tap_headers_set(&call->parts.request.headers, "User-Agent", "tapengine/" TAP_VERSION);
    tap_headers_set(&call->parts.request.headers, "amz-sdk-invocation-id", call->id);
    tap_retry_begin(&call->retry, &client->bucket, client->max_attempts);
    /* Where asking again would give the same credentials, it is not done. */
    call->retry.credentials_refreshed = !client->provider || !tap_provider_renews(client->provider);
    return call;
}

/* How a call differs from the plain one. */
struct manner {
    const struct tap_streams *streams;
    bool prepare;
};

static tap_err start(struct tap_op **out, struct tap_client *client, const char *operation_text,
                     const json_t *input, struct manner manner, struct tap_error *err)
{
    struct tap_error ignored;
    if (!err)
        err = &ignored;
    *out = NULL;
    const json_t *operation;
    if (tap_model_operation(&operation, client->model, operation_text, err)) {
        name_error(err, client, NULL);
        return err->code;
    }
    struct tap_call_parts parts;
    if (tap_call_build(&parts, client, operation, input, manner.streams, err))
        return refuse(err, client, operation, &parts);
    if (client->provider && !tap_call_is_anonymous(client, operation) &&
        tap_provider_ask(client->provider, tap_loop_wall(client->loop), err) == TAP_PROVIDER_NONE)
        return refuse(err, client, operation, &parts);
    struct call_op *call = new_call(client, operation, parts, input);
    call->prepare = manner.prepare;
    if (client->call_timeout_ms > 0)
        tap_timer_set(client->loop, &call->deadline, client->call_timeout_ms);
    begin(call);
    *out = &call->op;
    return TAP_OK;
}

tap_err tap_client_call(struct tap_op **out, struct tap_client *client, const char *operation,
                        const json_t *input, struct tap_error *err)
{
    return start(out, client, operation, input, (struct manner){0}, err);
}

tap_err tap_client_call_files(struct tap_op **out, struct tap_client *client, const char *operation,
                              const json_t *input, const struct tap_streams *streams,
                              struct tap_error *err)
{
    return start(out, client, operation, input, (struct manner){.streams = streams}, err);
}

tap_err tap_client_prepare(struct tap_op **out, struct tap_client *client, const char *operation,
                           const json_t *input, struct tap_error *err)
{
    return start(out, client, operation, input, (struct manner){.prepare = true}, err);
}

const struct tap_request *tap_call_request(const struct tap_op *op)
{
    assert(op->class == &call_class && op->finished && !op->error);
    return &((const struct call_op *)op)->parts.request;
}

struct tap_signing tap_call_signing(const struct tap_op *op)
{
    assert(op->class == &call_class && op->finished && !op->error);
    const struct call_op *call = (const struct call_op *)op;
    return tap_call_signing_of(call->client, &call->parts, call->skew_ms);
}

json_t *tap_call_output(const struct tap_op *op)
{
    assert(op->class == &call_class && op->finished && !op->error);
    return ((const struct call_op *)op)->output;
}

int64_t tap_call_answer(const struct tap_op *op)
{
    assert(op->class == &call_class && op->finished && !op->error);
    return ((const struct call_op *)op)->answer;
}

const char *tap_call_request_id(const struct tap_op *op)
{
    assert(op->class == &call_class);
    const char *id = ((const struct call_op *)op)->request_id;
    return id ? id : "";
}

int tap_call_attempts(const struct tap_op *op)
{
    assert(op->class == &call_class);
    return ((const struct call_op *)op)->sent;
}
