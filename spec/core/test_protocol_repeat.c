/*
 * An answer that says what the one before said is not parsed again; any other is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/protocol_repeat.h"

enum { LONG = 20000 };

/* Two operations are told apart by where they stand, not by what they say. */
static const json_t *operation, *another;

static int set_up(void **state)
{
    (void)state;
    operation = json_object();
    another = json_object();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref((json_t *)operation);
    json_decref((json_t *)another);
    return 0;
}

/* FILLER... <RequestId>ID</RequestId> TAIL, and the same id in the header. */
static struct tap_response response(size_t len, char filler, const char *id, const char *tail)
{
    struct tap_response out;
    tap_response_init(&out);
    out.status = 200;
    for (size_t i = 0; i < len; i++)
        tap_buf_putc(&out.body, filler);
    tap_buf_printf(&out.body, "<RequestId>%s</RequestId>%s", id, tail);
    tap_headers_set(&out.headers, "x-amzn-RequestId", id);
    return out;
}

/* Whether `second` is taken for a repetition of `first`. */
static bool repeats(const struct tap_protocol *protocol, struct tap_response first,
                    const json_t *of, struct tap_response second)
{
    struct tap_last_answer last = {0};
    json_t *output = json_pack("{s:i}", "Answer", 42);
    tap_last_answer_keep(&last, protocol, operation, &first, output, 7);
    json_decref(output); /* what is kept outlives the call that brought it */
    json_t *again = tap_last_answer_again(&last, of, &second);
    if (again)
        assert_int_equal(json_integer_value(json_object_get(again, "Answer")), 42);
    bool found = again != NULL;
    json_decref(again);
    tap_last_answer_fini(&last);
    tap_response_fini(&first);
    tap_response_fini(&second);
    return found;
}

static void only_the_request_id_may_differ(void **state)
{
    (void)state;
    const struct tap_protocol *query = &tap_protocol_query;
    assert_true(repeats(query, response(LONG, 'a', "id-1", "x"), operation,
                        response(LONG, 'a', "id-2", "x")));
    assert_false(repeats(query, response(LONG, 'a', "id-1", "x"), operation,
                         response(LONG, 'b', "id-1", "x")));
    assert_false(repeats(query, response(LONG, 'a', "id-1", "x"), operation,
                         response(LONG, 'a', "id-1", "y")));
    assert_false(repeats(query, response(LONG, 'a', "id-1", "x"), operation,
                         response(LONG + 1, 'a', "id-2", "x")));
    assert_false(repeats(query, response(LONG, 'a', "id-1", "x"), operation,
                         response(LONG + 1, 'a', "id-2", "")));
}

static void an_id_of_another_length_is_no_repetition(void **state)
{
    (void)state;
    assert_false(repeats(&tap_protocol_query, response(LONG, 'a', "id-1", "xy"), operation,
                         response(LONG, 'a', "id-10", "x")));
    assert_true(repeats(&tap_protocol_query, response(LONG, 'a', "", "x"), operation,
                        response(LONG, 'a', "", "x")));
}

static void another_operation_is_read_for_itself(void **state)
{
    (void)state;
    assert_false(repeats(&tap_protocol_query, response(LONG, 'a', "id-1", "x"), another,
                         response(LONG, 'a', "id-1", "x")));
}

static void small_and_huge_answers_are_not_kept(void **state)
{
    (void)state;
    assert_false(repeats(&tap_protocol_query, response(100, 'a', "id-1", "x"), operation,
                         response(100, 'a', "id-1", "x")));
    assert_false(repeats(&tap_protocol_query, response(2 * 1024 * 1024, 'a', "id-1", "x"),
                         operation, response(2 * 1024 * 1024, 'a', "id-1", "x")));
}

static void answers_whose_headers_count_are_not_kept(void **state)
{
    (void)state;
    assert_false(repeats(&tap_protocol_rest_xml, response(LONG, 'a', "id-1", "x"), operation,
                         response(LONG, 'a', "id-1", "x")));
    assert_true(repeats(&tap_protocol_json, response(LONG, 'a', "id-1", "x"), operation,
                        response(LONG, 'a', "id-1", "x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_request_id_may_differ),
        cmocka_unit_test(an_id_of_another_length_is_no_repetition),
        cmocka_unit_test(another_operation_is_read_for_itself),
        cmocka_unit_test(small_and_huge_answers_are_not_kept),
        cmocka_unit_test(answers_whose_headers_count_are_not_kept),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
