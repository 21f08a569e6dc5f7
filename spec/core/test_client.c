/*
 * The client against a scripted server in the same loop, on a virtual clock: what is sent, what is
 * sent again and when, and what the caller is told. Delays cost no real time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/client.h"
#include "core/credentials_provider.h"
#include "core/mem.h"
#include "core/server.h"
#include "core/sigv4.h"

/* ---- a small service ---- */

static const char service2[] =
    "{'metadata': {'apiVersion': '2026-01-01', 'endpointPrefix': 'thing', 'protocol': 'query',"
    "  'serviceId': 'Thing', 'signatureVersion': 'v4', 'signingName': 'thing'},"
    " 'operations': {"
    "  'CreateThing': {'name': 'CreateThing', 'http': {'method': 'POST', 'requestUri': '/'},"
    "   'input': {'shape': 'CreateInput'},"
    "   'output': {'shape': 'CreateOutput', 'resultWrapper': 'CreateThingResult'},"
    "   'errors': [{'shape': 'BusyException'}]},"
    "  'AssumeThing': {'name': 'AssumeThing', 'http': {'method': 'POST', 'requestUri': '/'},"
    "   'authtype': 'none'}},"
    " 'shapes': {"
    "  'CreateInput': {'type': 'structure', 'required': ['Name', 'Token'], 'members': {"
    "   'Name': {'shape': 'Text'}, 'Token': {'shape': 'Text', 'idempotencyToken': true}}},"
    "  'CreateOutput': {'type': 'structure', 'members': {'Id': {'shape': 'Text'}}},"
    "  'BusyException': {'type': 'structure', 'members': {}, 'exception': true,"
    "   'error': {'code': 'Busy', 'httpStatusCode': 400}, 'retryable': {'throttling': false}},"
    "  'Text': {'type': 'string'}}}";

#define CREATED                                                                                    \
    "<CreateThingResponse><CreateThingResult><Id>t-1</Id></CreateThingResult>"                     \
    "<ResponseMetadata><RequestId>r-ok</RequestId></ResponseMetadata></CreateThingResponse>"
#define REFUSED(code)                                                                              \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>because " code         \
    "</Message></Error><RequestId>r-" code "</RequestId></ErrorResponse>"

/* How the server answers one request. */
struct answer {
    int status;
    bool cut; /* close the connection in the middle of the body */
    const char *body;
    const char *header, *value; /* one more header, or NULL */
};

static const struct answer created = {200, false, CREATED, "x-amzn-RequestId", "r-ok"};

enum { MAX_SEEN = 256 };

struct fixture {
    char folder[64];
    struct tap_loop *loop;
    struct tap_server *server;
    struct tap_op *accept;
    int64_t server_skew_ms; /* its clock minus ours */
    const struct answer *answers;
    size_t n_answers; /* the last one is repeated */
    size_t n_seen;
    struct {
        char *body, *invocation, *attempt, *user_agent;
        tap_err verified; /* the signature by the server's clock; TAP_E_SERVICE: refused or none */
    } seen[MAX_SEEN];
    struct tap_log *log;
    FILE *stream;
    char *log_text;
    size_t log_len;
};

static void write_model(struct fixture *f)
{
    char path[160];
    snprintf(f->folder, sizeof f->folder, "/tmp/tap-client-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(path, sizeof path, "%s/thing", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/thing/2026-01-01", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/thing/2026-01-01/service-2.json", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (const char *c = service2; *c; c++)
        fputc(*c == '\'' ? '"' : *c, file);
    fclose(file);
    setenv("AWS_DATA_PATH", f->folder, 1);
}

static void set_environment(void)
{
    static const char *const unset[] = {"AWS_DEFAULT_REGION", "AWS_MAX_ATTEMPTS",  "AWS_RETRY_MODE",
                                        "AWS_ENDPOINT_URL",   "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE",
                                        "http_proxy",         "all_proxy",         "ALL_PROXY"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_REGION", "eu-central-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG", 1);
}

static int setup(void **state)
{
    struct fixture *f = tap_alloc(sizeof *f);
    struct tap_error err;
    set_environment();
    write_model(f);
    f->loop = tap_loop_new(&err);
    assert_non_null(f->loop);
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    tap_loop_set_time(f->loop, 1767225600000);
    if (tap_server_listen(&f->server, f->loop, "127.0.0.1", 0, NULL, &err))
        fail_msg("%s", err.message);
    f->stream = open_memstream(&f->log_text, &f->log_len);
    struct tap_log_options options = {.stream = f->stream, .level = TAP_LOG_DEBUG};
    assert_int_equal(tap_log_open(&f->log, &options, &err), TAP_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    if (f->server)
        tap_server_close(f->server);
    assert_int_equal(tap_loop_outstanding(f->loop), 0);
    tap_loop_free(f->loop);
    tap_log_close(f->log);
    fclose(f->stream);
    free(f->log_text);
    for (size_t i = 0; i < f->n_seen; i++) {
        tap_free(f->seen[i].body);
        tap_free(f->seen[i].invocation);
        tap_free(f->seen[i].attempt);
        tap_free(f->seen[i].user_agent);
    }
    tap_model_unload_all();
    tap_providers_clear();
    tap_secrets_clear();
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    tap_free(f);
    return system(command); /* NOLINT(cert-env33-c): the name is ours */
}

/* ---- the server's side ---- */

static tap_err verify(const struct fixture *f, const struct tap_request *request)
{
    struct tap_sigv4_claim claim;
    struct tap_error err;
    int64_t now = (tap_loop_wall(f->loop) + f->server_skew_ms) / 1000;
    if (tap_sigv4_claim(&claim, request, &err))
        return err.code;
    tap_err code = tap_sigv4_verify(request, &claim, "wJalrXUtnFEMI/K7MDENG", now, &err);
    tap_free(claim.arena);
    return code;
}

static void serve(struct fixture *f, struct tap_exchange *exchange)
{
    const struct tap_request *request = tap_exchange_request(exchange);
    assert_true(f->n_seen < MAX_SEEN);
    size_t i = f->n_seen++;
    f->seen[i].body = tap_strdup(tap_buf_text(&request->body));
    f->seen[i].invocation = tap_strdup(tap_headers_get(&request->headers, "amz-sdk-invocation-id"));
    f->seen[i].attempt = tap_strdup(tap_headers_get(&request->headers, "amz-sdk-request"));
    f->seen[i].user_agent = tap_strdup(tap_headers_get(&request->headers, "User-Agent"));
    f->seen[i].verified = verify(f, request);
    const struct answer *answer = &f->answers[i < f->n_answers ? i : f->n_answers - 1];
    struct tap_response response;
    tap_response_init(&response);
    response.status = answer->status;
    tap_headers_add(&response.headers, "Content-Type", "text/xml");
    if (answer->header)
        tap_headers_add(&response.headers, answer->header, answer->value);
    tap_buf_puts(&response.body, answer->body);
    if (answer->cut)
        tap_exchange_abort(exchange, &response, response.body.len / 2);
    else
        tap_exchange_respond(exchange, &response);
}

/* Serves until `call` is finished; the caller frees it. */
static void finish(struct fixture *f, struct tap_op *call)
{
    if (!f->accept)
        f->accept = tap_server_accept(f->server);
    for (struct tap_op *op; (op = tap_loop_next(f->loop, 10000)) != call;) {
        assert_ptr_equal(op, f->accept); /* NULL: nothing came for ten seconds */
        serve(f, tap_accept_take(op));
        tap_op_free(op);
        f->accept = tap_server_accept(f->server);
    }
    tap_op_cancel(f->accept);
    f->accept = NULL;
}

/* ---- the client's side ---- */

static struct tap_client *new_client(struct fixture *f)
{
    char url[64];
    struct tap_client *client;
    struct tap_error err;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", tap_server_port(f->server));
    struct tap_client_options options = {.endpoint_url = url, .log = f->log};
    if (tap_client_new(&client, f->loop, "thing", &options, &err))
        fail_msg("%s", err.message);
    return client;
}

static struct tap_op *start(struct tap_client *client)
{
    struct tap_op *call;
    struct tap_error err;
    json_t *input = json_pack("{s:s}", "Name", "n");
    if (tap_client_call(&call, client, "CreateThing", input, &err))
        fail_msg("%s", err.message);
    json_decref(input);
    return call;
}

/* One CreateThing, answered by the rows; the caller frees the operation. */
#define call_with(f, client, ...)                                                                  \
    call_answered(f, client, (const struct answer[]){__VA_ARGS__},                                 \
                  sizeof((const struct answer[]){__VA_ARGS__}) / sizeof(struct answer))

static struct tap_op *call_answered(struct fixture *f, struct tap_client *client,
                                    const struct answer *answers, size_t n)
{
    f->answers = answers;
    f->n_answers = n;
    struct tap_op *call = start(client);
    tap_client_free(client); /* a call keeps what it needs */
    finish(f, call);
    return call;
}

static const struct tap_error *error_of(const struct tap_op *call)
{
    const struct tap_error *error = tap_op_error(call);
    assert_non_null(error);
    assert_string_equal(error->service, "thing");
    assert_string_equal(error->operation, "CreateThing");
    return error;
}

static void assert_created(const struct tap_op *call)
{
    if (tap_op_error(call))
        fail_msg("%s", tap_op_error(call)->message);
    assert_string_equal(json_string_value(json_object_get(tap_call_output(call), "Id")), "t-1");
    assert_string_equal(tap_call_request_id(call), "r-ok");
}

static const char *log_text(struct fixture *f)
{
    fflush(f->stream);
    return f->log_text;
}

/* ---- what goes well ---- */

static void a_call_sends_a_signed_request_and_gives_the_output(void **state)
{
    struct fixture *f = *state;
    struct tap_op *call = call_with(f, new_client(f), created);
    assert_created(call);
    assert_int_equal(tap_op_kind(call), TAP_OP_CALL);
    assert_int_equal(tap_call_attempts(call), 1);
    assert_int_equal(f->n_seen, 1);
    assert_int_equal(f->seen[0].verified, TAP_OK);
    assert_non_null(strstr(f->seen[0].body, "Action=CreateThing"));
    assert_non_null(strstr(f->seen[0].body, "Name=n"));
    assert_string_equal(f->seen[0].attempt, "attempt=1; max=3");
    assert_int_equal(strlen(f->seen[0].invocation), 36);
    assert_int_equal(strncmp(f->seen[0].user_agent, "tapengine/", 10), 0);
    tap_op_free(call);
}

static void an_operation_that_needs_no_signature_gets_none(void **state)
{
    struct fixture *f = *state;
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    struct tap_client *client = new_client(f);
    struct tap_op *call;
    struct tap_error err;
    assert_int_equal(tap_client_call(&call, client, "assume_thing", NULL, &err), TAP_OK);
    f->answers = &(struct answer){200, false, "<AssumeThingResponse/>", NULL, NULL};
    f->n_answers = 1;
    finish(f, call);
    assert_null(tap_op_error(call));
    assert_int_equal(f->seen[0].verified, TAP_E_SERVICE);
    tap_op_free(call);

    json_t *input = json_pack("{s:s}", "Name", "n");
    assert_int_equal(tap_client_call(&call, client, "CreateThing", input, &err), TAP_E_CREDENTIALS);
    assert_non_null(strstr(err.message, "AWS_ACCESS_KEY_ID"));
    assert_string_equal(err.operation, "CreateThing");
    json_decref(input);
    tap_client_free(client);
}

static void several_calls_run_at_once(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f);
    f->answers = &created;
    f->n_answers = 1;
    for (int i = 0; i < 8; i++)
        start(client);
    tap_client_free(client);
    f->accept = tap_server_accept(f->server);
    for (int done = 0; done < 8;) {
        struct tap_op *op = tap_loop_next(f->loop, 10000);
        assert_non_null(op);
        if (op == f->accept) {
            serve(f, tap_accept_take(op));
            f->accept = tap_server_accept(f->server);
        } else {
            assert_created(op);
            done++;
        }
        tap_op_free(op);
    }
    tap_op_cancel(f->accept);
}

/* ---- what is tried again ---- */

static void a_throttled_call_waits_as_asked_and_succeeds(void **state)
{
    struct fixture *f = *state;
    const struct answer throttled = {400, false, REFUSED("Throttling"), "Retry-After", "120"};
    int64_t before = tap_loop_now(f->loop);
    struct tap_op *call = call_with(f, new_client(f), throttled, throttled, created);
    assert_created(call);
    assert_int_equal(tap_call_attempts(call), 3);
    assert_int_equal(f->n_seen, 3);
    assert_string_equal(f->seen[2].attempt, "attempt=3; max=3");
    assert_int_equal(f->seen[2].verified, TAP_OK); /* signed anew: four minutes have passed */
    int64_t waited = tap_loop_now(f->loop) - before;
    assert_true(waited >= 240000 && waited < 250000);
    tap_op_free(call);
}

static void every_attempt_carries_the_same_idempotency_token_and_invocation_id(void **state)
{
    struct fixture *f = *state;
    const struct answer failed = {500, false, REFUSED("InternalFailure"), NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), failed, failed, created);
    assert_created(call);
    const char *token = strstr(f->seen[0].body, "Token=");
    assert_non_null(token);
    assert_int_equal(strcspn(token + 6, "&"), 36);
    assert_string_equal(f->seen[0].body, f->seen[1].body);
    assert_string_equal(f->seen[0].body, f->seen[2].body);
    assert_string_equal(f->seen[0].invocation, f->seen[2].invocation);
    tap_op_free(call);
    call = call_with(f, new_client(f), created);
    assert_string_not_equal(f->seen[0].body, f->seen[3].body); /* another call, another token */
    tap_op_free(call);
}

static void a_token_that_the_caller_gives_is_kept(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f);
    struct tap_op *call;
    json_t *input = json_pack("{s:s, s:s}", "Name", "n", "Token", "mine");
    f->answers = &created;
    f->n_answers = 1;
    assert_int_equal(tap_client_call(&call, client, "CreateThing", input, NULL), TAP_OK);
    finish(f, call);
    assert_non_null(strstr(f->seen[0].body, "Token=mine"));
    tap_op_free(call);
    json_decref(input);
    tap_client_free(client);
}

static void an_outage_ends_after_the_attempts_with_the_last_error(void **state)
{
    struct fixture *f = *state;
    const struct answer failed = {503, false, REFUSED("ServiceUnavailable"), NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), failed);
    const struct tap_error *error = error_of(call);
    assert_int_equal(f->n_seen, 3);
    assert_int_equal(tap_call_attempts(call), 3);
    assert_int_equal(error->code, TAP_E_SERVICE);
    assert_string_equal(error->name, "ServiceUnavailable");
    assert_int_equal(error->http_status, 503);
    assert_true(error->retryable);
    tap_op_free(call);
}

static void an_error_that_the_model_calls_retryable_is_tried_again(void **state)
{
    struct fixture *f = *state;
    const struct answer busy = {400, false, REFUSED("Busy"), NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), busy, created);
    assert_created(call);
    assert_int_equal(f->n_seen, 2);
    tap_op_free(call);
}

static void an_answer_that_breaks_off_is_tried_again(void **state)
{
    struct fixture *f = *state;
    const struct answer cut = {200, true, CREATED, NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), cut, created);
    assert_created(call);
    assert_int_equal(tap_call_attempts(call), 2);
    tap_op_free(call);
}

static void a_proxys_html_page_is_an_error_with_its_status(void **state)
{
    struct fixture *f = *state;
    const struct answer page = {503, false, "<html><body><h1>Busy</h1><br></body>", NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), page);
    assert_int_equal(error_of(call)->code, TAP_E_SERVICE);
    assert_int_equal(error_of(call)->http_status, 503);
    assert_int_equal(f->n_seen, 3);
    tap_op_free(call);
}

static void a_refused_connection_is_tried_again_and_then_told(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f);
    tap_server_close(f->server);
    f->server = NULL;
    struct tap_op *call = start(client);
    tap_client_free(client);
    assert_ptr_equal(tap_loop_next(f->loop, 10000), call);
    const struct tap_error *error = error_of(call);
    assert_int_equal(error->code, TAP_E_NETWORK);
    assert_true(error->retryable);
    assert_int_equal(tap_call_attempts(call), 3);
    assert_int_equal(error->http_status, 0);
    tap_op_free(call);
}

static void silence_is_a_timeout_and_tried_again(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f);
    struct tap_op *call = start(client);
    tap_client_free(client);
    for (int i = 0; i < 3; i++) {
        struct tap_op *accept = tap_server_accept(f->server);
        assert_ptr_equal(tap_loop_next(f->loop, 10000), accept);
        struct tap_exchange *silent = tap_accept_take(accept);
        tap_op_free(accept);
        struct tap_op *timer = i < 2 ? tap_timer_start(f->loop, 65000) : call;
        assert_ptr_equal(tap_loop_next(f->loop, 10000), timer);
        tap_exchange_abort(silent, NULL, 0);
        if (timer != call)
            tap_op_free(timer);
    }
    assert_int_equal(error_of(call)->code, TAP_E_TIMEOUT);
    assert_int_equal(tap_call_attempts(call), 3);
    assert_true(tap_loop_now(f->loop) >= 180000);
    tap_op_free(call);
}

static void a_wrong_clock_is_corrected_by_the_answers_date_and_stays_so(void **state)
{
    struct fixture *f = *state;
    f->server_skew_ms = 3600000;
    const struct answer skewed = {403, false, REFUSED("SignatureDoesNotMatch"), "Date",
                                  "Thu, 01 Jan 2026 01:00:00 GMT"};
    struct tap_client *client = new_client(f);
    f->answers = (const struct answer[]){skewed, created};
    f->n_answers = 2;
    struct tap_op *call = start(client);
    finish(f, call);
    assert_created(call);
    assert_int_equal(f->n_seen, 2);
    assert_int_equal(f->seen[0].verified, TAP_E_SERVICE);
    assert_int_equal(f->seen[1].verified, TAP_OK);
    tap_op_free(call);

    call = start(client); /* the next call knows */
    tap_client_free(client);
    finish(f, call);
    assert_created(call);
    assert_int_equal(tap_call_attempts(call), 1);
    assert_int_equal(f->seen[2].verified, TAP_OK);
    tap_op_free(call);
}

static void calls_that_meet_the_wrong_clock_together_correct_it_once(void **state)
{
    struct fixture *f = *state;
    f->server_skew_ms = -1800000;
    const struct answer skewed = {403, false, REFUSED("RequestTimeTooSkewed"), "Date",
                                  "Wed, 31 Dec 2025 23:30:00 GMT"};
    struct tap_client *client = new_client(f);
    f->answers = (const struct answer[]){skewed, skewed, created};
    f->n_answers = 3;
    struct tap_op *first = start(client), *second = start(client);
    tap_client_free(client);
    f->accept = tap_server_accept(f->server);
    for (int done = 0; done < 2;) {
        struct tap_op *op = tap_loop_next(f->loop, 10000);
        assert_non_null(op);
        if (op == f->accept) {
            serve(f, tap_accept_take(op));
            tap_op_free(op);
            f->accept = tap_server_accept(f->server);
        } else {
            assert_created(op);
            done++;
        }
    }
    tap_op_cancel(f->accept);
    assert_int_equal(f->n_seen, 4);
    assert_int_equal(f->seen[2].verified, TAP_OK);
    assert_int_equal(f->seen[3].verified, TAP_OK);
    tap_op_free(first);
    tap_op_free(second);
}

static void an_outage_empties_the_bucket_and_then_calls_fail_at_once(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_MAX_ATTEMPTS", "50", 1);
    struct tap_client *client = new_client(f);
    tap_server_close(f->server);
    f->server = NULL;
    int attempts = 0;
    for (int i = 0; i < 3; i++) {
        struct tap_op *call = start(client);
        assert_ptr_equal(tap_loop_next(f->loop, 10000), call);
        assert_int_equal(error_of(call)->code, TAP_E_NETWORK);
        attempts += tap_call_attempts(call);
        if (i == 2)
            assert_int_equal(tap_call_attempts(call), 3); /* 500 / 5 retries are spent */
        tap_op_free(call);
    }
    assert_int_equal(attempts, 100 + 3);
    struct tap_op *call = start(client);
    assert_ptr_equal(tap_loop_next(f->loop, 10000), call);
    assert_int_equal(tap_call_attempts(call), 1);
    tap_op_free(call);
    tap_client_free(client);
}

static void a_service_that_only_stumbles_never_empties_the_bucket(void **state)
{
    struct fixture *f = *state;
    struct answer answers[240];
    for (size_t i = 0; i < 240; i++)
        answers[i] =
            i % 2 ? created : (struct answer){500, false, REFUSED("InternalFailure"), NULL, NULL};
    struct tap_client *client = new_client(f);
    f->answers = answers;
    f->n_answers = 240;
    for (int i = 0; i < 120; i++) { /* 120 retries of 5 tokens are more than 500 */
        struct tap_op *call = start(client);
        finish(f, call);
        assert_created(call);
        tap_op_free(call);
    }
    tap_client_free(client);
}

/* ---- what is final ---- */

static void an_error_of_the_service_is_told_with_its_request_id(void **state)
{
    struct fixture *f = *state;
    const struct answer refused = {400, false, REFUSED("ValidationError"), NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), refused);
    const struct tap_error *error = error_of(call);
    assert_int_equal(error->code, TAP_E_SERVICE);
    assert_string_equal(error->name, "ValidationError");
    assert_string_equal(error->message, "because ValidationError");
    assert_string_equal(error->request_id, "r-ValidationError");
    assert_int_equal(error->http_status, 400);
    assert_false(error->retryable);
    assert_int_equal(f->n_seen, 1);
    tap_op_free(call);
}

static void a_secret_that_the_service_repeats_is_not_shown(void **state)
{
    struct fixture *f = *state;
    const struct answer echo = {
        400, false,
        "<ErrorResponse><Error><Code>ValidationError</Code><Message>what is "
        "wJalrXUtnFEMI/K7MDENG?</Message></Error></ErrorResponse>",
        NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), echo);
    assert_string_equal(error_of(call)->message, "what is ****?");
    tap_op_free(call);
}

static void expired_credentials_of_the_environment_are_not_tried_again(void **state)
{
    struct fixture *f = *state;
    const struct answer expired = {403, false, REFUSED("ExpiredToken"), NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), expired);
    assert_string_equal(error_of(call)->name, "ExpiredToken");
    assert_int_equal(f->n_seen, 1);
    tap_op_free(call);
}

static void an_answer_that_does_not_fit_the_model_is_an_error_not_a_retry(void **state)
{
    struct fixture *f = *state;
    const struct answer broken = {200, false, "<CreateThingResponse><Creat", "x-amzn-RequestId",
                                  "r-b"};
    struct tap_op *call = call_with(f, new_client(f), broken);
    const struct tap_error *error = error_of(call);
    assert_int_equal(error->http_status, 200);
    assert_string_equal(error->request_id, "r-b");
    assert_int_equal(f->n_seen, 1);
    tap_op_free(call);
}

static void wrong_input_is_refused_before_anything_is_sent(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f);
    struct tap_op *call;
    struct tap_error err;
    json_t *good = json_pack("{s:s}", "Name", "n"), *bad = json_pack("{s:s}", "Nam", "n");
    assert_int_equal(tap_client_call(&call, client, "CreateThin", good, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "CreateThing")); /* the nearest */
    assert_string_equal(err.service, "thing");
    assert_int_equal(tap_client_call(&call, client, "CreateThing", bad, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "Nam"));
    assert_string_equal(err.operation, "CreateThing");
    assert_int_equal(tap_client_call(&call, client, "CreateThing", NULL, &err), TAP_E_USAGE);
    assert_null(call);
    assert_int_equal(tap_loop_outstanding(f->loop), 0);
    json_decref(good);
    json_decref(bad);
    tap_client_free(client);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = NULL;
    struct tap_error err;
    assert_int_equal(tap_client_new(&client, f->loop, "thin", NULL, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "thin"));
    setenv("AWS_MAX_ATTEMPTS", "3x", 1);
    assert_int_equal(tap_client_new(&client, f->loop, "thing", NULL, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "AWS_MAX_ATTEMPTS"));
    unsetenv("AWS_MAX_ATTEMPTS");
    struct tap_client_options legacy = {.retry_mode = "legacy"};
    assert_int_equal(tap_client_new(&client, f->loop, "thing", &legacy, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "'legacy'"));
    unsetenv("AWS_REGION");
    assert_int_equal(tap_client_new(&client, f->loop, "thing", NULL, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "AWS_REGION"));
    assert_null(client);
    setenv("AWS_DEFAULT_REGION", "ap-south-1", 1);
    assert_int_equal(tap_client_new(&client, f->loop, "thing", NULL, &err), TAP_OK);
    assert_string_equal(tap_client_region(client), "ap-south-1");
    tap_client_free(client);
}

static void a_call_can_be_cancelled_at_any_moment(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f);
    struct tap_op *call = start(client); /* before anything was sent */
    tap_op_cancel(call);
    assert_int_equal(tap_loop_outstanding(f->loop), 0);

    call = start(client); /* while the server thinks */
    struct tap_op *accept = tap_server_accept(f->server);
    assert_ptr_equal(tap_loop_next(f->loop, 10000), accept);
    struct tap_exchange *exchange = tap_accept_take(accept);
    tap_op_free(accept);
    tap_op_cancel(call);
    tap_exchange_abort(exchange, NULL, 0);

    call = start(client); /* between two attempts */
    accept = tap_server_accept(f->server);
    assert_ptr_equal(tap_loop_next(f->loop, 10000), accept);
    exchange = tap_accept_take(accept);
    tap_op_free(accept);
    struct tap_op *timer = tap_timer_start(f->loop, 1000);
    f->answers = &(struct answer){400, false, REFUSED("Throttling"), "Retry-After", "60"};
    f->n_answers = 1;
    serve(f, exchange);
    assert_ptr_equal(tap_loop_next(f->loop, 10000), timer);
    tap_op_free(timer);
    tap_op_cancel(call);
    assert_int_equal(tap_loop_outstanding(f->loop), 0);
    tap_client_free(client);
}

/* ---- the log ---- */

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static void the_log_tells_each_attempt_and_why_it_was_repeated_and_no_secret(void **state)
{
    struct fixture *f = *state;
    const struct answer throttled = {400, false, REFUSED("Throttling"), NULL, NULL};
    struct tap_op *call = call_with(f, new_client(f), throttled, created);
    assert_created(call);
    const char *text = log_text(f);
    assert_int_equal(count(text, "\"level\":\"debug\""), 2);
    assert_int_equal(count(text, "\"level\":\"info\""), 1);
    assert_non_null(strstr(text, "\"why\":\"throttled\""));
    assert_non_null(strstr(text, "\"request_id\":\"r-Throttling\""));
    assert_non_null(strstr(text, "\"request_id\":\"r-ok\""));
    assert_int_equal(count(text, f->seen[0].invocation), 3);
    assert_null(strstr(text, "wJalr"));
    assert_null(strstr(text, "Name=n"));
    tap_op_free(call);
}

static void settings_that_are_not_followed_are_warned_of(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client;
    struct tap_error err;
    setenv("AWS_RETRY_MODE", "standard", 1);
    tap_client_free(new_client(f)); /* loopback: no warning either */
    assert_int_equal(strlen(log_text(f)), 0);
    setenv("AWS_RETRY_MODE", "adaptive", 1);
    tap_client_free(new_client(f));
    assert_int_equal(strlen(log_text(f)), 0);
    setenv("AWS_RETRY_MODE", "legacy", 1);
    tap_client_free(new_client(f));
    assert_non_null(strstr(log_text(f), "AWS_RETRY_MODE"));
    struct tap_client_options options = {.endpoint_url = "http://192.0.2.1", .log = f->log};
    assert_int_equal(tap_client_new(&client, f->loop, "thing", &options, &err), TAP_OK);
    assert_non_null(strstr(log_text(f), "unencrypted"));
    tap_client_free(client);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_call_sends_a_signed_request_and_gives_the_output),
        test(an_operation_that_needs_no_signature_gets_none),
        test(several_calls_run_at_once),
        test(a_throttled_call_waits_as_asked_and_succeeds),
        test(every_attempt_carries_the_same_idempotency_token_and_invocation_id),
        test(a_token_that_the_caller_gives_is_kept),
        test(an_outage_ends_after_the_attempts_with_the_last_error),
        test(an_error_that_the_model_calls_retryable_is_tried_again),
        test(an_answer_that_breaks_off_is_tried_again),
        test(a_proxys_html_page_is_an_error_with_its_status),
        test(a_refused_connection_is_tried_again_and_then_told),
        test(silence_is_a_timeout_and_tried_again),
        test(a_wrong_clock_is_corrected_by_the_answers_date_and_stays_so),
        test(calls_that_meet_the_wrong_clock_together_correct_it_once),
        test(an_outage_empties_the_bucket_and_then_calls_fail_at_once),
        test(a_service_that_only_stumbles_never_empties_the_bucket),
        test(an_error_of_the_service_is_told_with_its_request_id),
        test(a_secret_that_the_service_repeats_is_not_shown),
        test(expired_credentials_of_the_environment_are_not_tried_again),
        test(an_answer_that_does_not_fit_the_model_is_an_error_not_a_retry),
        test(wrong_input_is_refused_before_anything_is_sent),
        test(settings_that_cannot_work_are_refused),
        test(a_call_can_be_cancelled_at_any_moment),
        test(the_log_tells_each_attempt_and_why_it_was_repeated_and_no_secret),
        test(settings_that_are_not_followed_are_warned_of),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
