/*
 * For programs that run conformance data, whose cases are known at run time only: where the data
 * is, a list of tests that grows, and the test that stands in their place when there is no data.
 * Include after cmocka.h.
 */
#ifndef TAP_SPEC_CONFORMANCE_H
#define TAP_SPEC_CONFORMANCE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"

/* $TAP_CONFORMANCE/NAME, by default beside the repository; the caller frees it (tap_free). */
static inline char *conformance_path(const char *name)
{
    const char *root = getenv("TAP_CONFORMANCE");
    return tap_sprintf("%s/%s", root ? root : "../shared/conformance", name);
}

struct test_list {
    struct CMUnitTest *tests;
    size_t n, cap;
};

/* Takes the name (from tap_sprintf); *state of the test is `state`, which it does not own. */
static inline void test_list_add(struct test_list *list, char *name, CMUnitTestFunction run,
                                 void *state)
{
    list->tests = tap_grow(list->tests, list->n, &list->cap, sizeof *list->tests);
    list->tests[list->n++] =
        (struct CMUnitTest){.name = name, .test_func = run, .initial_state = state};
}

/* Runs and frees them; the number of failures. */
static inline int test_list_run(struct test_list *list, const char *group)
{
    int failed = _cmocka_run_group_tests(group, list->tests, list->n, NULL, NULL);
    for (size_t i = 0; i < list->n; i++)
        tap_free((char *)list->tests[i].name);
    tap_free(list->tests);
    return failed;
}

static inline void conformance_is_absent(void **state)
{
    (void)state;
    print_message("skipped: the conformance data is not there (set TAP_CONFORMANCE)\n");
    skip();
}

#endif
