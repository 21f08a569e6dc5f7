/*
 * The byte buffer: it grows to its cap and never past it, and is text at any time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"

enum { MANY = 1000000 };

static void an_empty_buffer_is_empty_text(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 10);
    assert_string_equal(tap_buf_text(&buf), "");
    size_t len = 1;
    char *text = tap_buf_take(&buf, &len);
    assert_string_equal(text, "");
    assert_int_equal(len, 0);
    tap_free(text);
    tap_buf_fini(&buf);
}

static void what_is_appended_is_there_and_ended(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 1000);
    tap_buf_puts(&buf, "one ");
    tap_buf_putc(&buf, '2');
    tap_buf_add(&buf, " th\0ree", 7);
    tap_buf_add(&buf, NULL, 0);
    tap_buf_printf(&buf, " %s=%d", "four", 4);
    assert_int_equal(buf.len, 4 + 1 + 7 + 7);
    assert_memory_equal(buf.data, "one 2 th\0ree four=4", buf.len + 1);
    tap_buf_fini(&buf);
}

static void it_holds_exactly_as_much_as_its_cap(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 5);
    tap_buf_puts(&buf, "12345");
    assert_false(buf.overflow);
    assert_string_equal(tap_buf_text(&buf), "12345");
    tap_buf_puts(&buf, "");
    assert_false(buf.overflow);
    tap_buf_putc(&buf, '6');
    assert_true(buf.overflow);
    tap_buf_fini(&buf);
}

static void past_its_cap_it_is_empty_and_swallows_the_rest(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 5);
    tap_buf_puts(&buf, "1234");
    tap_buf_puts(&buf, "56");
    assert_true(buf.overflow);
    assert_int_equal(buf.len, 0);
    assert_string_equal(tap_buf_text(&buf), "");
    tap_buf_puts(&buf, "a");
    tap_buf_putc(&buf, 'b');
    tap_buf_printf(&buf, "%d", 7);
    assert_true(buf.overflow);
    assert_string_equal(tap_buf_text(&buf), "");
    tap_buf_reset(&buf);
    assert_false(buf.overflow);
    tap_buf_puts(&buf, "again");
    assert_string_equal(tap_buf_text(&buf), "again");
    tap_buf_fini(&buf);
}

static void a_printf_too_long_overflows_too(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 5);
    tap_buf_printf(&buf, "%s", "123456");
    assert_true(buf.overflow);
    tap_buf_fini(&buf);
}

static void a_size_that_would_wrap_around_overflows(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, SIZE_MAX / 2);
    tap_buf_puts(&buf, "x");
    tap_buf_add(&buf, "y", SIZE_MAX);
    assert_true(buf.overflow);
    tap_buf_fini(&buf);
}

static void taken_text_belongs_to_the_taker(void **state)
{
    (void)state;
    struct tap_buf buf;
    size_t len = 0;
    tap_buf_init(&buf, 100);
    tap_buf_puts(&buf, "mine");
    char *text = tap_buf_take(&buf, &len);
    tap_buf_puts(&buf, "next");
    assert_string_equal(text, "mine");
    assert_int_equal(len, 4);
    assert_string_equal(tap_buf_text(&buf), "next");
    tap_free(text);
    tap_buf_fini(&buf);
    assert_int_equal(buf.limit, 100);
}

static void a_buffer_of_secrets_is_usable_after_it_was_wiped(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 100);
    tap_buf_fini_secret(&buf);
    tap_buf_puts(&buf, "hush");
    tap_buf_fini_secret(&buf);
    assert_string_equal(tap_buf_text(&buf), "");
    tap_buf_puts(&buf, "x");
    assert_string_equal(tap_buf_text(&buf), "x");
    tap_buf_fini(&buf);
}

static void cutting_shortens_and_never_lengthens(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, 100);
    tap_buf_cut(&buf, 0);
    tap_buf_puts(&buf, "12345");
    tap_buf_cut(&buf, 9);
    assert_string_equal(tap_buf_text(&buf), "12345");
    tap_buf_cut(&buf, 2);
    assert_string_equal(tap_buf_text(&buf), "12");
    tap_buf_puts(&buf, "x");
    assert_string_equal(tap_buf_text(&buf), "12x");
    tap_buf_fini(&buf);
}

static void a_million_small_appends_make_one_text(void **state)
{
    (void)state;
    struct tap_buf buf;
    tap_buf_init(&buf, MANY);
    for (int i = 0; i < MANY; i++)
        tap_buf_putc(&buf, (char)('a' + i % 26));
    assert_false(buf.overflow);
    assert_int_equal(strlen(tap_buf_text(&buf)), MANY);
    tap_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_empty_text),
        cmocka_unit_test(what_is_appended_is_there_and_ended),
        cmocka_unit_test(it_holds_exactly_as_much_as_its_cap),
        cmocka_unit_test(past_its_cap_it_is_empty_and_swallows_the_rest),
        cmocka_unit_test(a_printf_too_long_overflows_too),
        cmocka_unit_test(a_size_that_would_wrap_around_overflows),
        cmocka_unit_test(taken_text_belongs_to_the_taker),
        cmocka_unit_test(a_buffer_of_secrets_is_usable_after_it_was_wiped),
        cmocka_unit_test(cutting_shortens_and_never_lengthens),
        cmocka_unit_test(a_million_small_appends_make_one_text),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
