/*
 * The HTTP client and the listener, against each other on loopback: what arrives is what was sent,
 * slow and broken peers end in one clear error, and a virtual clock does not run away while a
 * request is under way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/http.h"
#include "core/mem.h"
#include "core/server.h"

struct fixture {
    struct tap_loop *loop;
    struct tap_server *server;
    char *host;
    struct tap_request request;
};

static int setup_with(void **state, const struct tap_server_options *options)
{
    struct fixture *f = tap_alloc(sizeof *f);
    struct tap_error err;
    f->loop = tap_loop_new(&err);
    assert_non_null(f->loop);
    assert_int_equal(tap_server_listen(&f->server, f->loop, "127.0.0.1", 0, options, &err), TAP_OK);
    f->host = tap_sprintf("127.0.0.1:%d", tap_server_port(f->server));
    tap_request_init(&f->request);
    tap_set(&f->request.method, "GET");
    tap_set(&f->request.scheme, "http");
    tap_set(&f->request.host, f->host);
    tap_set(&f->request.target, "/");
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, NULL);
}

static int setup_small_bodies(void **state)
{
    static const struct tap_server_options small = {.max_body = 1000};
    return setup_with(state, &small);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->server)
        tap_server_close(f->server);
    tap_loop_free(f->loop);
    tap_request_fini(&f->request);
    tap_free(f->host);
    tap_free(f);
    return 0;
}

/* Waits for the next request; NULL when something else finished first (put in *other). */
static struct tap_exchange *accept_one(struct fixture *f, struct tap_op **other)
{
    struct tap_op *accept = tap_server_accept(f->server);
    struct tap_op *op = tap_loop_next(f->loop, 5000);
    if (op != accept) {
        assert_non_null(other);
        *other = op;
        tap_op_cancel(accept);
        return NULL;
    }
    struct tap_exchange *exchange = tap_accept_take(op);
    tap_op_free(op);
    return exchange;
}

static void answer(struct tap_exchange *exchange, int status, const char *body)
{
    struct tap_response response;
    tap_response_init(&response);
    response.status = status;
    tap_headers_add(&response.headers, "Content-Type", "text/plain");
    tap_headers_add(&response.headers, "X-Twice", "one");
    tap_headers_add(&response.headers, "X-Twice", "two");
    tap_buf_puts(&response.body, body);
    tap_exchange_respond(exchange, &response);
}

static void expect_error(struct tap_op *op, tap_err code, const char *part)
{
    assert_non_null(op);
    const struct tap_error *error = tap_op_error(op);
    assert_non_null(error);
    assert_int_equal(error->code, code);
    if (!strstr(error->message, part))
        fail_msg("'%s' is not in: %s", part, error->message);
    tap_op_free(op);
}

static void a_request_arrives_as_it_was_sent_and_its_answer_comes_back(void **state)
{
    struct fixture *f = *state;
    tap_set(&f->request.method, "POST");
    tap_set(&f->request.target, "/a%2Fb/../c%20d?x=%26&y");
    tap_headers_add(&f->request.headers, "X-Empty", "");
    tap_headers_add(&f->request.headers, "X-Name", "  two  words");
    tap_buf_add(&f->request.body, "bytes\0with a nul", 16);
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *exchange = accept_one(f, NULL);

    const struct tap_request *got = tap_exchange_request(exchange);
    assert_string_equal(got->method, "POST");
    assert_string_equal(got->target, "/a%2Fb/../c%20d?x=%26&y");
    assert_string_equal(got->host, f->host);
    assert_string_equal(tap_headers_get(&got->headers, "x-empty"), "");
    assert_string_equal(tap_headers_get(&got->headers, "x-name"), "two  words");
    assert_null(tap_headers_get(&got->headers, "Expect"));
    assert_int_equal(got->body.len, 16);
    assert_memory_equal(got->body.data, "bytes\0with a nul", 16);

    answer(exchange, 404, "not here");
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_null(tap_op_error(call));
    const struct tap_response *response = tap_http_response(call);
    assert_int_equal(response->status, 404);
    assert_string_equal(tap_buf_text(&response->body), "not here");
    assert_string_equal(tap_headers_get(&response->headers, "content-type"), "text/plain");
    assert_non_null(tap_headers_get(&response->headers, "Date"));
    size_t twice = 0;
    for (size_t i = 0; i < response->headers.n; i++)
        twice += strcmp(response->headers.items[i].name, "X-Twice") == 0;
    assert_int_equal(twice, 2);
    tap_op_free(call);
}

static void a_body_of_megabytes_goes_both_ways(void **state)
{
    struct fixture *f = *state;
    enum { SIZE = 3 * 1024 * 1024 };
    char *big = tap_alloc(SIZE + 1);
    memset(big, 'x', SIZE);
    tap_set(&f->request.method, "PUT");
    tap_buf_add(&f->request.body, big, SIZE);
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *exchange = accept_one(f, NULL);
    assert_int_equal(tap_exchange_request(exchange)->body.len, SIZE);
    answer(exchange, 200, big);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_int_equal(tap_http_response(call)->body.len, SIZE);
    tap_op_free(call);
    tap_free(big);
}

static void requests_side_by_side_are_all_answered(void **state)
{
    struct fixture *f = *state;
    enum { N = 50 };
    struct tap_exchange *exchanges[N];
    for (int i = 0; i < N; i++)
        tap_http_start(f->loop, &f->request, NULL);
    for (int i = 0; i < N; i++)
        exchanges[i] = accept_one(f, NULL);
    for (int i = N; i-- > 0;)
        answer(exchanges[i], 200, "ok");
    for (int i = 0; i < N; i++) {
        struct tap_op *op = tap_loop_next(f->loop, 5000);
        assert_non_null(op);
        assert_null(tap_op_error(op));
        tap_op_free(op);
    }
}

static void a_connection_is_used_again(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
        answer(accept_one(f, NULL), 200, "ok");
        assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
        assert_null(tap_op_error(call));
        tap_op_free(call);
    }
}

static void nobody_listening_is_a_network_error_of_a_request_that_was_not_sent(void **state)
{
    struct fixture *f = *state;
    tap_server_close(f->server);
    f->server = NULL;
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_true(tap_http_unsent(call));
    expect_error(call, TAP_E_NETWORK, f->host);
}

static void a_cut_connection_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    tap_exchange_abort(accept_one(f, NULL), NULL, 0);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_false(tap_http_unsent(call));
    expect_error(call, TAP_E_NETWORK, "http://127.0.0.1");
}

static void a_body_that_breaks_off_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_response response;
    tap_response_init(&response);
    response.status = 200;
    tap_buf_puts(&response.body, "0123456789");
    tap_exchange_abort(accept_one(f, NULL), &response, 4);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    expect_error(call, TAP_E_NETWORK, "http://127.0.0.1");
}

static void a_response_past_its_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct tap_http_options options = {.max_response = 10};
    struct tap_op *call = tap_http_start(f->loop, &f->request, &options);
    answer(accept_one(f, NULL), 200, "more than ten bytes");
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    expect_error(call, TAP_E_LIMIT, "larger than 10 bytes");
}

static void a_request_past_the_servers_limit_is_answered_with_413(void **state)
{
    struct fixture *f = *state;
    tap_set(&f->request.method, "POST");
    for (int i = 0; i < 2000; i++)
        tap_buf_putc(&f->request.body, 'x');
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL), *done = NULL;
    assert_null(accept_one(f, &done));
    assert_ptr_equal(done, call);
    assert_null(tap_op_error(call));
    assert_int_equal(tap_http_response(call)->status, 413);
    tap_op_free(call);
}

static void a_silent_server_ends_in_a_timeout(void **state)
{
    struct fixture *f = *state;
    const struct tap_http_options options = {.first_byte_timeout_ms = 30};
    tap_set(&f->request.target, "/path?X-Amz-Signature=secret");
    struct tap_op *call = tap_http_start(f->loop, &f->request, &options);
    struct tap_exchange *exchange = accept_one(f, NULL);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_null(strstr(tap_op_error(call)->message, "secret"));
    expect_error(call, TAP_E_TIMEOUT, "no answer within 0.03 s");
    answer(exchange, 200, "too late");
}

static void the_virtual_clock_waits_for_a_request_that_is_under_way(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *exchange = accept_one(f, NULL); /* and not the deadline's end */
    int64_t before = tap_loop_now(f->loop);

    /* A handler that takes ten seconds: nothing else can happen, so they pass at once. */
    struct tap_op *pause = tap_timer_start(f->loop, 10 * 1000);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), pause);
    tap_op_free(pause);
    assert_int_equal(tap_loop_now(f->loop) - before, 10 * 1000);

    answer(exchange, 200, "ok");
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_null(tap_op_error(call));
    tap_op_free(call);
}

static void a_silent_server_times_out_on_the_virtual_clock_in_no_time(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *exchange = accept_one(f, NULL);
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    expect_error(call, TAP_E_TIMEOUT, "no answer within 60 s");
    tap_exchange_abort(exchange, NULL, 0);
}

static void a_request_that_was_given_up_does_not_let_the_virtual_clock_run_away(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    struct tap_exchange *forgotten[20];
    for (int i = 0; i < 20; i++) {
        struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
        forgotten[i] = accept_one(f, NULL);
        tap_op_cancel(call);
    }
    int64_t before = tap_loop_now(f->loop);
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *exchange = accept_one(f, NULL); /* the request, not its deadline */
    assert_int_equal(tap_loop_now(f->loop), before);
    answer(exchange, 200, "ok");
    assert_ptr_equal(tap_loop_next(f->loop, 5000), call);
    assert_null(tap_op_error(call));
    tap_op_free(call);
    for (int i = 0; i < 20; i++)
        answer(forgotten[i], 200, "nobody waits");
}

static void a_cancelled_request_is_gone_and_its_answer_ignored(void **state)
{
    struct fixture *f = *state;
    struct tap_op *call = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *exchange = accept_one(f, NULL);
    tap_op_cancel(call);
    answer(exchange, 200, "nobody reads this");
    assert_null(tap_loop_next(f->loop, 20));
}

static void a_server_closes_with_requests_in_every_state(void **state)
{
    struct fixture *f = *state;
    struct tap_op *first = tap_http_start(f->loop, &f->request, NULL);
    struct tap_exchange *taken = accept_one(f, NULL);
    struct tap_op *second = tap_http_start(f->loop, &f->request, NULL);
    assert_null(tap_loop_next(f->loop, 50)); /* the second waits in the queue */
    tap_server_close(f->server);
    f->server = NULL;
    for (int i = 0; i < 2; i++) {
        struct tap_op *op = tap_loop_next(f->loop, 5000);
        assert_true(op == first || op == second);
        expect_error(op, TAP_E_NETWORK, "http://127.0.0.1");
    }
    answer(taken, 200, "the listener is gone");
}

static void an_address_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    struct tap_server *server;
    struct tap_error err;
    assert_int_equal(tap_server_listen(&server, f->loop, "localhost", 0, NULL, &err), TAP_E_USAGE);
    assert_int_equal(tap_server_listen(&server, f->loop, "127.0.0.1", 70000, NULL, &err),
                     TAP_E_USAGE);
    assert_int_equal(
        tap_server_listen(&server, f->loop, "127.0.0.1", tap_server_port(f->server), NULL, &err),
        TAP_E_IO);
    assert_non_null(strstr(err.message, "in use"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_request_arrives_as_it_was_sent_and_its_answer_comes_back),
        TEST(a_body_of_megabytes_goes_both_ways),
        TEST(requests_side_by_side_are_all_answered),
        TEST(a_connection_is_used_again),
        TEST(nobody_listening_is_a_network_error_of_a_request_that_was_not_sent),
        TEST(a_cut_connection_is_a_network_error),
        TEST(a_body_that_breaks_off_is_a_network_error),
        TEST(a_response_past_its_limit_is_refused),
        cmocka_unit_test_setup_teardown(a_request_past_the_servers_limit_is_answered_with_413,
                                        setup_small_bodies, teardown),
        TEST(a_silent_server_ends_in_a_timeout),
        TEST(the_virtual_clock_waits_for_a_request_that_is_under_way),
        TEST(a_silent_server_times_out_on_the_virtual_clock_in_no_time),
        TEST(a_request_that_was_given_up_does_not_let_the_virtual_clock_run_away),
        TEST(a_cancelled_request_is_gone_and_its_answer_ignored),
        TEST(a_server_closes_with_requests_in_every_state),
        TEST(an_address_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
