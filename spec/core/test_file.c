/*
 * Small files: read whole within a limit, replaced in one step, found from the home folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"

static char folder[64], path[96];
static struct tap_buf text;
static struct tap_error err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tap-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    tap_buf_init(&text, 10);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tap_buf_fini(&text);
    remove(path);
    return remove(folder); /* fails when anything else was left in it */
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(tap_file_replace(path, "first", &err), TAP_OK);
    assert_int_equal(tap_file_replace(path, "0123456789", &err), TAP_OK);
    assert_int_equal(tap_file_load(&text, path, &err), TAP_OK);
    assert_string_equal(tap_buf_text(&text), "0123456789");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_file_larger_than_the_limit_is_refused(void **state)
{
    (void)state;
    assert_int_equal(tap_file_replace(path, "0123456789a", &err), TAP_OK);
    assert_int_equal(tap_file_load(&text, path, &err), TAP_E_LIMIT);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(text.len, 0);
}

static void what_cannot_be_read_or_written_is_told(void **state)
{
    (void)state;
    assert_int_equal(tap_file_load(&text, path, &err), TAP_E_IO);
    assert_string_equal(err.name, "FileNotFound");
    assert_non_null(strstr(err.message, path));
    assert_int_equal(tap_file_load(&text, folder, &err), TAP_E_IO);
    assert_string_equal(err.name, "CannotRead");
    assert_int_equal(tap_file_replace("/nowhere/file", "x", &err), TAP_E_IO);
    assert_string_equal(err.name, "CannotWrite");
    assert_int_equal(tap_file_replace(folder, "x", &err), TAP_E_IO); /* and leaves nothing */
}

static void a_pipe_without_a_writer_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(tap_file_load(&text, path, &err), TAP_OK);
    assert_int_equal(text.len, 0);
}

static void the_home_folder_has_a_short_name(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"~/.aws/config", "/home/a/.aws/config"},
        {"~", "/home/a"},
        {"~b/x", "~b/x"},
        {"/x/~/y", "/x/~/y"},
        {"", ""},
    };
    setenv("HOME", "/home/a", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *expanded = tap_file_expand(rows[i][0]);
        assert_string_equal(expanded, rows[i][1]);
        tap_free(expanded);
    }
}

int main(void)
{
#define row(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        row(what_is_written_is_read),
        row(a_file_larger_than_the_limit_is_refused),
        row(what_cannot_be_read_or_written_is_told),
        row(a_pipe_without_a_writer_is_not_waited_for),
        row(the_home_folder_has_a_short_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
