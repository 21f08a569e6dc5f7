/*
 * Tests of the arena: what is taken is aligned, apart from all else, and as large as was asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"

enum { PIECES = 5000 };

static void test_pieces_are_aligned_and_apart(void **state)
{
    (void)state;
    struct tap_arena arena = {0};
    static unsigned char *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        size_t n = 1 + i % 700;
        pieces[i] = tap_arena_take(&arena, n);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)(i % 251), n);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t at = 0; at < 1 + i % 700; at++)
            assert_int_equal(pieces[i][at], i % 251);
    tap_arena_free(&arena);
}

static void test_a_piece_may_be_larger_than_any_block(void **state)
{
    (void)state;
    enum { LARGE = 3 * 1024 * 1024 + 1 };
    struct tap_arena arena = {0};
    char *small = tap_arena_text(&arena, "before", 6);
    memset(tap_arena_take(&arena, LARGE), 'x', LARGE);
    char *after = tap_arena_text(&arena, "after", 5);
    assert_string_equal(small, "before");
    assert_string_equal(after, "after");
    tap_arena_free(&arena);
}

static void test_a_text_ends_and_what_follows_is_aligned(void **state)
{
    (void)state;
    struct tap_arena arena = {0};
    for (size_t n = 0; n < 40; n++) {
        char *text = tap_arena_text(&arena, "0123456789012345678901234567890123456789", n);
        void *next = tap_arena_take(&arena, 8);
        memset(next, 'x', 8);
        assert_int_equal(strlen(text), n);
        assert_int_equal((uintptr_t)next % _Alignof(max_align_t), 0);
    }
    tap_arena_free(&arena);
    assert_null(arena.blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_aligned_and_apart),
        cmocka_unit_test(test_a_piece_may_be_larger_than_any_block),
        cmocka_unit_test(test_a_text_ends_and_what_follows_is_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
