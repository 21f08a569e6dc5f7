/*
 * What a client makes of a network and of services that misbehave: every fault ends in success
 * after another attempt, or in one error of the right class; nothing hangs. Calls of real services
 * are answered by a server that does what it should not. Pauses pass on a virtual clock; where a
 * deadline must pass while a peer is silent, time runs ten times as fast.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/client.h"
#include "core/credentials_provider.h"
#include "spec/core/rude_server.h"

struct fixture {
    const struct fault *fault; /* of the tests that are a row of the table */
    struct tap_loop *loop;
    struct rude_server server;
    struct tap_client_options options;
    char url[64];
    FILE *stream;
    char *log_text;
    size_t log_len;
    struct tap_log *log;
};

static void set_environment(void)
{
    static const char *const unset[] = {"AWS_PROFILE",      "AWS_MAX_ATTEMPTS",  "AWS_RETRY_MODE",
                                        "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE",
                                        "http_proxy",       "all_proxy",         "ALL_PROXY",
                                        "no_proxy",         "NO_PROXY",          "AWS_DATA_PATH"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG", 1);
}

static int setup(void **state)
{
    struct fixture *f = tap_alloc(sizeof *f);
    struct tap_error err;
    f->fault = *state;
    set_environment();
    rude_start(&f->server);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d", f->server.port);
    f->loop = tap_loop_new(&err);
    assert_non_null(f->loop);
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    tap_loop_set_time(f->loop, 1767225600000); /* 2026-01-01T00:00:00Z */
    f->stream = open_memstream(&f->log_text, &f->log_len);
    struct tap_log_options log = {.stream = f->stream, .level = TAP_LOG_DEBUG};
    assert_int_equal(tap_log_open(&f->log, &log, &err), TAP_OK);
    f->options = (struct tap_client_options){
        .region = "us-east-1", .endpoint_url = f->url, .random_seed = 1, .log = f->log};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    size_t outstanding = tap_loop_outstanding(f->loop);
    tap_loop_free(f->loop);
    rude_stop(&f->server);
    tap_log_close(f->log);
    fclose(f->stream);
    free(f->log_text);
    tap_model_unload_all();
    tap_providers_clear();
    tap_secrets_clear();
    tap_free(f);
    return outstanding != 0;
}

static struct tap_client *new_client(struct fixture *f, const char *service)
{
    struct tap_client *client;
    struct tap_error err;
    if (tap_client_new(&client, f->loop, service, &f->options, &err))
        fail_msg("%s", err.message);
    return client;
}

/* The finished call; the caller frees it. Takes `input`. */
static struct tap_op *call(struct fixture *f, struct tap_client *client, const char *operation,
                           json_t *input)
{
    struct tap_op *op;
    struct tap_error err;
    if (tap_client_call(&op, client, operation, input, &err))
        fail_msg("%s", err.message);
    json_decref(input);
    assert_ptr_equal(tap_loop_next(f->loop, 20000), op);
    return op;
}

#define expect(f, ...)                                                                             \
    rude_expect(&(f)->server, (const struct rude_answer[]){__VA_ARGS__},                           \
                sizeof((const struct rude_answer[]){__VA_ARGS__}) / sizeof(struct rude_answer))

static struct tap_op *describe_stacks(struct fixture *f)
{
    struct tap_client *client = new_client(f, "cloudformation");
    struct tap_op *op = call(f, client, "DescribeStacks", NULL);
    tap_client_free(client);
    return op;
}

static void check_success(struct tap_op *op, int attempts)
{
    if (tap_op_error(op))
        fail_msg("%s: %s", tap_op_error(op)->name, tap_op_error(op)->message);
    assert_int_equal(tap_call_attempts(op), attempts);
    tap_op_free(op);
}

/* `part` of the message or of the name; NULL: any. */
static void check_failure(struct tap_op *op, tap_err code, const char *part, int attempts)
{
    const struct tap_error *error = tap_op_error(op);
    assert_non_null(error);
    if (error->code != code ||
        (part && !strstr(error->message, part) && !strstr(error->name, part)))
        fail_msg("not %s '%s': %s %s: %s", tap_error_class(code), part ? part : "",
                 tap_error_class(error->code), error->name, error->message);
    assert_string_not_equal(error->service, "");
    assert_string_not_equal(error->operation, "");
    assert_int_equal(tap_call_attempts(op), attempts);
    tap_op_free(op);
}

/* ---- faults of one answer: a row each ---- */

#define XML "Content-Type: text/xml\r\n"
#define STACKS                                                                                     \
    "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult>"               \
    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeStacksResponse>"
#define QUERY_ERROR(code)                                                                          \
    "<ErrorResponse><Error><Code>" code "</Code><Message>no</Message></Error>"                     \
    "<RequestId>r</RequestId></ErrorResponse>"
#define STACKS_OK                                                                                  \
    {                                                                                              \
        .head = "200 OK\r\n" XML, .body = STACKS                                                   \
    }

static const struct fault {
    const char *name;
    const char *service, *operation; /* NULL: cloudformation DescribeStacks */
    struct rude_answer answers[3];   /* the last with anything in it is repeated */
    int attempts;
    tap_err code;     /* TAP_OK: it succeeds */
    const char *part; /* of the error's name or message */
    int64_t pause_ms; /* at least */
} faults[] = {
    /* the connection */
    {"a reset before the answer is tried again", .answers = {{.end = RUDE_RESET}, STACKS_OK},
     .attempts = 2},
    {"a reset in the middle of the body is tried again",
     .answers = {{.head = "200 OK\r\n" XML, .body = "<Describe", .promised = 90, .end = RUDE_RESET},
                 STACKS_OK},
     .attempts = 2},
    {"a close without an answer is tried again", .answers = {{.end = RUDE_CLOSE}, STACKS_OK},
     .attempts = 2},
    {"a body shorter than promised is tried again",
     .answers = {{.head = "200 OK\r\n" XML, .body = STACKS, .promised = 1, .end = RUDE_CLOSE},
                 STACKS_OK},
     .attempts = 2},
    {"chunks that break off are tried again",
     .answers = {{.body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n<Descri",
                  .end = RUDE_CLOSE},
                 STACKS_OK},
     .attempts = 2},
    {"a status line that breaks off is tried again",
     .answers = {{.body = "HTTP/1.1 20", .end = RUDE_CLOSE}, STACKS_OK}, .attempts = 2},
    {"resets for ever are a network error", .answers = {{.end = RUDE_RESET}}, .attempts = 3,
     .code = TAP_E_NETWORK, .part = "127.0.0.1"},
    {"another protocol than HTTP is a network error",
     .answers = {{.body = "SSH-2.0-OpenSSH_9.2\r\n", .end = RUDE_CLOSE}}, .attempts = 3,
     .code = TAP_E_NETWORK, .part = "HTTP"},
    {"headers without end are refused",
     .answers = {{.first = "HTTP/1.1 200 OK\r\n",
                  .body = "X-Flood: of a header that repeats itself\r\n",
                  .times = 20000,
                  .end = RUDE_CLOSE}},
     .attempts = 1, .code = TAP_E_LIMIT, .part = "headers"},
    {"one header without end is an error",
     .answers = {{.first = "HTTP/1.1 200 OK\r\nX-Flood: ",
                  .body = "0123456789abcdef",
                  .times = 60000,
                  .end = RUDE_CLOSE}},
     .attempts = 3, .code = TAP_E_NETWORK},
    {"interim answers are passed over",
     .answers = {{.body = "HTTP/1.1 100 Continue\r\n\r\n"
                          "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                          "HTTP/1.1 200 OK\r\n" XML "Connection: close\r\n\r\n" STACKS,
                  .end = RUDE_CLOSE}},
     .attempts = 1},
    {"a body that ends with the connection is whole",
     .answers = {{.body = "HTTP/1.0 200 OK\r\n" XML "\r\n" STACKS, .end = RUDE_CLOSE}},
     .attempts = 1},

    /* answers that are no answers */
    {"a page of HTML instead of the answer is one error",
     .answers = {{.head = "200 OK\r\nContent-Type: text/html\r\n",
                  .body = "<html><body>Please log in<br></body></html>"}},
     .attempts = 1, .code = TAP_E_PROTOCOL},
    {"a truncated document is one error",
     .answers = {{.head = "200 OK\r\n" XML, .body = "<DescribeStacksResponse><Descr"}},
     .attempts = 1, .code = TAP_E_PROTOCOL},
    {"JSON of the wrong type is one error", "dynamodb", "ListTables",
     .answers = {{.head = "200 OK\r\nContent-Type: text/plain\r\n", .body = "[1, 2"}},
     .attempts = 1, .code = TAP_E_PROTOCOL},
    {"a refusal without a body is an error with its status",
     .answers = {{.head = "403 Forbidden\r\n"}}, .attempts = 1, .code = TAP_E_SERVICE,
     .part = "403"},
    {"a page of HTML with status 502 is tried again",
     .answers = {{.head = "502 Bad Gateway\r\nContent-Type: text/html\r\n",
                  .body = "<html><h1>502 Bad Gateway</h1><hr></html>"},
                 STACKS_OK},
     .attempts = 2},

    /* trouble of the service */
    {"500 is tried again", .answers = {{.head = "500 X\r\n"}, STACKS_OK}, .attempts = 2},
    {"503 is tried again", .answers = {{.head = "503 X\r\n"}, STACKS_OK}, .attempts = 2},
    {"504 is tried again", .answers = {{.head = "504 X\r\n"}, STACKS_OK}, .attempts = 2},
    {"429 is tried again", .answers = {{.head = "429 X\r\n"}, STACKS_OK}, .attempts = 2},
    {"500 waits as asked", .answers = {{.head = "500 X\r\nRetry-After: 7\r\n"}, STACKS_OK},
     .attempts = 2, .pause_ms = 7000},
    {"503 waits until the date that it names",
     .answers = {{.head = "503 X\r\nRetry-After: Thu, 01 Jan 2026 00:01:00 GMT\r\n"}, STACKS_OK},
     .attempts = 2, .pause_ms = 59000},
    {"429 waits as asked in milliseconds",
     .answers = {{.head = "429 X\r\nx-amz-retry-after: 6500\r\n"}, STACKS_OK}, .attempts = 2,
     .pause_ms = 6500},
    {"503 for ever is the service's error after all attempts",
     .answers = {{.head = "503 X\r\n" XML, .body = QUERY_ERROR("ServiceUnavailable")}},
     .attempts = 3, .code = TAP_E_SERVICE, .part = "ServiceUnavailable"},
    {"501 is final", .answers = {{.head = "501 X\r\n"}}, .attempts = 1, .code = TAP_E_SERVICE},

    /* throttling, as each protocol says it */
    {"query: Throttling is tried again",
     .answers = {{.head = "400 X\r\n" XML, .body = QUERY_ERROR("Throttling")}, STACKS_OK},
     .attempts = 2},
    {"ec2: RequestLimitExceeded is tried again", "ec2", "DescribeRegions",
     .answers = {{.head = "503 X\r\n" XML,
                  .body = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>no"
                          "</Message></Error></Errors><RequestID>r</RequestID></Response>"},
                 {.head = "200 OK\r\n" XML,
                  .body = "<DescribeRegionsResponse><requestId>r</requestId><regionInfo/>"
                          "</DescribeRegionsResponse>"}},
     .attempts = 2},
    {"json: ProvisionedThroughputExceededException in __type is tried again", "dynamodb",
     "ListTables",
     .answers = {{.head = "400 X\r\n",
                  .body = "{\"__type\": \"com.amazonaws.dynamodb.v20120810#"
                          "ProvisionedThroughputExceededException\", \"message\": \"no\"}"},
                 {.head = "200 OK\r\n", .body = "{\"TableNames\": []}"}},
     .attempts = 2},
    {"json: ThrottlingException in a header is tried again", "dynamodb", "ListTables",
     .answers = {{.head = "400 X\r\nx-amzn-ErrorType: ThrottlingException:\r\n", .body = "{}"},
                 {.head = "200 OK\r\n", .body = "{\"TableNames\": []}"}},
     .attempts = 2},
    {"json that once was query: RequestThrottled in a header is tried again", "sqs", "ListQueues",
     .answers = {{.head = "400 X\r\nx-amzn-query-error: RequestThrottled;Sender\r\n",
                  .body = "{\"__type\": \"com.amazonaws.sqs#RequestThrottled\"}"},
                 {.head = "200 OK\r\n", .body = "{}"}},
     .attempts = 2},
    {"rest-json: TooManyRequestsException is tried again", "lambda", "ListFunctions",
     .answers = {{.head = "429 X\r\nx-amzn-ErrorType: TooManyRequestsException\r\n",
                  .body = "{\"Reason\": \"CallerRateLimitExceeded\"}"},
                 {.head = "200 OK\r\n", .body = "{\"Functions\": []}"}},
     .attempts = 2},
    {"rest-xml: SlowDown is tried again", "s3", "ListBuckets",
     .answers = {{.head = "503 X\r\n" XML,
                  .body = "<Error><Code>SlowDown</Code><Message>no</Message></Error>"},
                 {.head = "200 OK\r\n" XML,
                  .body = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"}},
     .attempts = 2},
    {"cbor: ThrottlingException is tried again", "cloudwatch", "ListDashboards",
     .answers = {{.head = "400 X\r\nsmithy-protocol: rpc-v2-cbor\r\n"
                          "Content-Type: application/cbor\r\n",
                  .body = "\xa1\x66__type\x73"
                          "ThrottlingException"},
                 {.head = "200 OK\r\nsmithy-protocol: rpc-v2-cbor\r\n"
                          "Content-Type: application/cbor\r\n",
                  .body = "\xa0"}},
     .attempts = 2},

    /* signatures */
    {"a wrong clock is corrected by the answer's date",
     .answers = {{.head = "403 X\r\nDate: Thu, 01 Jan 2026 01:00:00 GMT\r\n" XML,
                  .body = QUERY_ERROR("RequestTimeTooSkewed")},
                 STACKS_OK},
     .attempts = 2},
    {"an expired token that cannot be renewed is one error",
     .answers = {{.head = "403 X\r\n" XML, .body = QUERY_ERROR("ExpiredToken")}}, .attempts = 1,
     .code = TAP_E_SERVICE, .part = "ExpiredToken"},
};

static size_t n_answers(const struct fault *fault)
{
    size_t n = sizeof fault->answers / sizeof *fault->answers;
    for (; n; n--) {
        const struct rude_answer *last = &fault->answers[n - 1];
        if (last->head || last->body || last->end != RUDE_KEEP)
            break;
    }
    return n;
}

static void run_fault(void **state)
{
    struct fixture *f = *state;
    const struct fault *fault = f->fault;
    rude_expect(&f->server, fault->answers, n_answers(fault));
    int64_t began = tap_loop_now(f->loop);
    struct tap_client *client = new_client(f, fault->service ? fault->service : "cloudformation");
    struct tap_op *op =
        call(f, client, fault->operation ? fault->operation : "DescribeStacks", NULL);
    tap_client_free(client);
    assert_true(tap_loop_now(f->loop) - began >= fault->pause_ms);
    if (fault->code)
        check_failure(op, fault->code, fault->part, fault->attempts);
    else
        check_success(op, fault->attempts);
}

/* ---- nobody there ---- */

static void a_refused_connection_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    int port, fd = rude_listen(&port);
    close(fd); /* nobody listens there now */
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    f->options.endpoint_url = url;
    check_failure(describe_stacks(f), TAP_E_NETWORK, "connect", 3);
}

/* A name with a part that is too long for DNS: the resolver finds nothing and asks nobody. */
#define NO_SUCH_HOST                                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123456789.invalid"

static void a_name_that_does_not_exist_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    f->options.endpoint_url = "http://" NO_SUCH_HOST;
    check_failure(describe_stacks(f), TAP_E_NETWORK, "resolve host: " NO_SUCH_HOST, 3);
}

/* ---- slowness ---- */

static void a_silent_service_is_tried_again_after_the_deadline_of_the_attempt(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_SCALED, 10);
    f->options.http.first_byte_timeout_ms = 5000;
    expect(f, {.end = RUDE_SILENCE}, STACKS_OK);
    check_success(describe_stacks(f), 2);
}

static void a_body_that_stands_still_is_tried_again_after_the_deadline_of_the_attempt(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_SCALED, 10);
    f->options.http.total_timeout_ms = 5000;
    expect(f, {.head = "200 OK\r\n" XML, .body = "<Describe", .promised = 9, .end = RUDE_SILENCE},
           STACKS_OK);
    check_success(describe_stacks(f), 2);
}

static void silence_for_ever_is_a_timeout_after_all_attempts(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_SCALED, 10);
    f->options.http.first_byte_timeout_ms = 1000;
    expect(f, {.end = RUDE_SILENCE});
    check_failure(describe_stacks(f), TAP_E_TIMEOUT, "no answer within 1 s", 3);
}

static void a_slow_answer_within_its_deadline_is_an_answer(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_REAL, 1);
    expect(f, {.head = "200 OK\r\n" XML, .body = STACKS, .late_ms = 100});
    check_success(describe_stacks(f), 1);
}

static void the_deadline_of_a_call_ends_an_attempt_under_way(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_SCALED, 10);
    f->options.call_timeout_ms = 2000;
    expect(f, {.end = RUDE_SILENCE});
    check_failure(describe_stacks(f), TAP_E_TIMEOUT, "no result within 2 s; requests sent: 1", 1);
}

static void the_deadline_of_a_call_counts_its_pauses_and_names_the_last_error(void **state)
{
    struct fixture *f = *state;
    f->options.call_timeout_ms = 90 * 1000;
    f->options.max_attempts = 9;
    expect(f, {.head = "503 X\r\nRetry-After: 60\r\n" XML, .body = QUERY_ERROR("Busy")});
    int64_t began = tap_loop_now(f->loop);
    struct tap_op *op = describe_stacks(f);
    assert_int_equal(tap_loop_now(f->loop) - began, 90 * 1000);
    check_failure(op, TAP_E_TIMEOUT, "requests sent: 2; last error: Busy", 2);
}

/* ---- connections that are kept ---- */

static void a_connection_that_was_closed_while_idle_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f, "cloudformation");
    expect(f, {.head = "200 OK\r\n" XML, .body = STACKS, .end = RUDE_CLOSE}, STACKS_OK);
    check_success(call(f, client, "DescribeStacks", NULL), 1);
    check_success(call(f, client, "DescribeStacks", NULL), 1);
    tap_client_free(client);
}

static void a_connection_that_closes_as_it_is_used_again_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f, "cloudformation");
    expect(f, STACKS_OK, {.end = RUDE_CLOSE}, STACKS_OK);
    check_success(call(f, client, "DescribeStacks", NULL), 1);
    check_success(call(f, client, "DescribeStacks", NULL), 1); /* libcurl sends it once more */
    tap_client_free(client);
    assert_int_equal(rude_requests(&f->server), 3);
}

/* ---- what may act twice ---- */

static bool logged(struct fixture *f, const char *part)
{
    fflush(f->stream);
    return strstr(f->log_text, part);
}

static json_t *message(void)
{
    return json_pack("{s:s, s:s}", "QueueUrl", "https://sqs.us-east-1.amazonaws.com/1/q",
                     "MessageBody", "hello");
}

static void an_operation_without_a_token_that_is_sent_again_is_logged(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f, "sqs");
    expect(f, {.end = RUDE_RESET}, {.head = "200 OK\r\n", .body = "{\"MessageId\": \"m\"}"});
    check_success(call(f, client, "SendMessage", message()), 2);
    assert_true(logged(f, "sent again without a token: it may act twice"));
    assert_true(logged(f, "\"why\":\"transient\""));
    assert_false(logged(f, "hello"));
    tap_client_free(client);
}

static void also_where_libcurl_sent_it_again_on_a_new_connection(void **state)
{
    struct fixture *f = *state;
    struct tap_client *client = new_client(f, "sqs");
    static const struct rude_answer ok = {.head = "200 OK\r\n", .body = "{\"MessageId\": \"m\"}"};
    expect(f, ok, ok, {.end = RUDE_CLOSE}, ok);
    check_success(call(f, client, "SendMessage", message()), 1);
    check_success(call(f, client, "SendMessage", message()), 1);
    assert_false(logged(f, "twice"));
    check_success(call(f, client, "SendMessage", message()), 1);
    assert_true(logged(f, "twice"));
    tap_client_free(client);
}

static void an_operation_that_only_reads_or_was_refused_is_not(void **state)
{
    struct fixture *f = *state;
    expect(f, {.end = RUDE_RESET}, STACKS_OK);
    check_success(describe_stacks(f), 2);
    struct tap_client *client = new_client(f, "sqs");
    expect(f, {.head = "503 X\r\n"}); /* an answer: nothing is in doubt */
    struct tap_op *op = call(f, client, "SendMessage", message());
    check_failure(op, TAP_E_SERVICE, NULL, 3);
    tap_client_free(client);
    assert_false(logged(f, "twice"));
}

static void a_request_that_never_left_is_not(void **state)
{
    struct fixture *f = *state;
    f->options.endpoint_url = "http://" NO_SUCH_HOST;
    struct tap_client *client = new_client(f, "sqs");
    check_failure(call(f, client, "SendMessage", message()), TAP_E_NETWORK, NULL, 3);
    tap_client_free(client);
    assert_true(logged(f, "request will be sent again"));
    assert_false(logged(f, "twice"));
}

/* ---- the adaptive mode ---- */

static void throttled_clients_in_adaptive_mode_hold_requests_back(void **state)
{
    struct fixture *f = *state;
    f->options.retry_mode = "adaptive";
    struct tap_client *client = new_client(f, "cloudformation");
    expect(f, {.head = "400 X\r\n" XML, .body = QUERY_ERROR("Throttling")}, STACKS_OK);
    int64_t began = tap_loop_now(f->loop);
    check_success(call(f, client, "DescribeStacks", NULL), 2);
    assert_true(logged(f, "request held back"));
    /* half an attempt a second is the least; the bucket may have begun to fill before */
    assert_true(tap_loop_now(f->loop) - began >= 1500);
    tap_client_free(client);
}

static void calls_of_one_client_share_what_it_may_send(void **state)
{
    struct fixture *f = *state;
    f->options.retry_mode = "adaptive";
    struct tap_client *client = new_client(f, "cloudformation");
    const struct rude_answer throttled = {.head = "400 X\r\nConnection: close\r\n" XML,
                                          .body = QUERY_ERROR("Throttling"),
                                          .end = RUDE_CLOSE};
    const struct rude_answer ok = {
        .head = "200 OK\r\nConnection: close\r\n" XML, .body = STACKS, .end = RUDE_CLOSE};
    expect(f, throttled, throttled, ok);
    int64_t began = tap_loop_now(f->loop);
    for (int i = 0; i < 2; i++) {
        struct tap_op *op;
        assert_int_equal(tap_client_call(&op, client, "DescribeStacks", NULL, NULL), TAP_OK);
    }
    check_success(tap_loop_next(f->loop, 20000), 2);
    check_success(tap_loop_next(f->loop, 20000), 2);
    assert_true(tap_loop_now(f->loop) - began >= 2100); /* each alone would have waited for 2000 */
    tap_client_free(client);
}

/* ---- another region ---- */

#define REFERRAL(region)                                                                           \
    {                                                                                              \
        .head = "301 Moved Permanently\r\nx-amz-bucket-region: " region "\r\n" XML,                \
        .body = "<Error><Code>PermanentRedirect</Code><Message>use the endpoint</Message></Error>" \
    }

static struct tap_op *list_bucket(struct fixture *f)
{
    struct tap_client *client = new_client(f, "s3");
    struct tap_op *op = call(f, client, "ListObjectsV2", json_pack("{s:s}", "Bucket", "a-bucket"));
    tap_client_free(client);
    return op;
}

static void a_bucket_of_another_region_is_asked_for_there(void **state)
{
    struct fixture *f = *state;
    expect(f, REFERRAL("eu-west-1"), {.head = "200 OK\r\n" XML, .body = "<ListBucketResult/>"});
    check_success(list_bucket(f), 2);
    assert_non_null(strstr(rude_request(&f->server, 0), "/us-east-1/s3/aws4_request"));
    assert_non_null(strstr(rude_request(&f->server, 1), "/eu-west-1/s3/aws4_request"));
}

static void a_bucket_that_is_nowhere_is_one_error_that_names_the_region(void **state)
{
    struct fixture *f = *state;
    expect(f, REFERRAL("eu-west-1"), REFERRAL("us-west-2"));
    struct tap_op *op = list_bucket(f);
    assert_string_equal(tap_op_error(op)->name, "PermanentRedirect");
    assert_int_equal(tap_op_error(op)->http_status, 301);
    check_failure(op, TAP_E_SERVICE, "the bucket is in us-west-2; the request was for eu-west-1",
                  2);
}

/* ---- proxies ---- */

static void the_proxy_of_the_environment_is_asked(void **state)
{
    struct fixture *f = *state;
    setenv("http_proxy", f->url, 1);
    f->options.endpoint_url = "http://nowhere.invalid";
    expect(f, STACKS_OK);
    check_success(describe_stacks(f), 1);
    const char *request = rude_request(&f->server, 0);
    assert_int_equal(strncmp(request, "POST http://nowhere.invalid/ HTTP/1.1\r\n", 39), 0);
    assert_non_null(strstr(request, "Host: nowhere.invalid\r\n"));
}

static void no_proxy_names_hosts_that_are_reached_without_it(void **state)
{
    struct fixture *f = *state;
    setenv("http_proxy", "http://127.0.0.1:9", 1); /* nobody listens there */
    setenv("NO_PROXY", "example.com,127.0.0.1", 1);
    expect(f, STACKS_OK);
    check_success(describe_stacks(f), 1);
    assert_int_equal(strncmp(rude_request(&f->server, 0), "POST / HTTP/1.1\r\n", 17), 0);
}

static void a_proxy_that_refuses_the_tunnel_is_a_network_error_without_its_password(void **state)
{
    struct fixture *f = *state;
    char proxy[96];
    snprintf(proxy, sizeof proxy, "http://user:pass-of-proxy@127.0.0.1:%d", f->server.port);
    setenv("HTTPS_PROXY", proxy, 1);
    f->options.endpoint_url = "https://nowhere.invalid";
    expect(f, {.head = "403 Forbidden\r\n", .end = RUDE_CLOSE});
    struct tap_op *op = describe_stacks(f);
    unsetenv("HTTPS_PROXY");
    assert_null(strstr(tap_op_error(op)->message, "pass-of-proxy"));
    check_failure(op, TAP_E_NETWORK, "403", 3);
    assert_int_equal(strncmp(rude_request(&f->server, 0), "CONNECT nowhere.invalid:443 ", 28), 0);
    assert_false(logged(f, "pass-of-proxy"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest others[] = {
    test(a_refused_connection_is_a_network_error),
    test(a_name_that_does_not_exist_is_a_network_error),
    test(a_silent_service_is_tried_again_after_the_deadline_of_the_attempt),
    test(a_body_that_stands_still_is_tried_again_after_the_deadline_of_the_attempt),
    test(silence_for_ever_is_a_timeout_after_all_attempts),
    test(a_slow_answer_within_its_deadline_is_an_answer),
    test(the_deadline_of_a_call_ends_an_attempt_under_way),
    test(the_deadline_of_a_call_counts_its_pauses_and_names_the_last_error),
    test(a_connection_that_was_closed_while_idle_is_made_anew),
    test(a_connection_that_closes_as_it_is_used_again_is_made_anew),
    test(an_operation_without_a_token_that_is_sent_again_is_logged),
    test(also_where_libcurl_sent_it_again_on_a_new_connection),
    test(an_operation_that_only_reads_or_was_refused_is_not),
    test(a_request_that_never_left_is_not),
    test(throttled_clients_in_adaptive_mode_hold_requests_back),
    test(calls_of_one_client_share_what_it_may_send),
    test(a_bucket_of_another_region_is_asked_for_there),
    test(a_bucket_that_is_nowhere_is_one_error_that_names_the_region),
    test(the_proxy_of_the_environment_is_asked),
    test(no_proxy_names_hosts_that_are_reached_without_it),
    test(a_proxy_that_refuses_the_tunnel_is_a_network_error_without_its_password),
};

int main(void)
{
    enum { ROWS = sizeof faults / sizeof *faults, OTHERS = sizeof others / sizeof *others };
    struct CMUnitTest tests[ROWS + OTHERS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] =
            (struct CMUnitTest){faults[i].name, run_fault, setup, teardown, (void *)&faults[i]};
    memcpy(tests + ROWS, others, sizeof others);
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
