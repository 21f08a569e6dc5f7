/*
 * The log and its redaction: what is written, what is never written, and what rotation keeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tap-log-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tap.log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    tap_secrets_clear();
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command); /* NOLINT(cert-env33-c): the name is ours */
}

static struct tap_log *open_log(struct tap_log_options options)
{
    struct tap_log *log;
    struct tap_error err = {0};
    if (!options.path && !options.stream)
        options.path = path;
    if (tap_log_open(&log, &options, &err))
        fail_msg("%s", err.message);
    return log;
}

/* A whole small file; the caller frees it. */
static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file)
        return NULL;
    enum { ROOM = 1 << 20 };
    char *text = tap_alloc(ROOM);
    size_t n = fread(text, 1, ROOM - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

/* The lines of a file as values, each of which must be a JSON object. */
static json_t *read_lines(const char *name)
{
    char *text = read_file(name);
    assert_non_null(text);
    json_t *lines = json_array();
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        json_t *value = json_loads(line, 0, NULL);
        if (!json_is_object(value))
            fail_msg("not a JSON object: %s", line);
        json_array_append_new(lines, value);
    }
    tap_free(text);
    return lines;
}

static const char *field(const json_t *lines, size_t i, const char *name)
{
    return json_string_value(json_object_get(json_array_get(lines, i), name));
}

static void a_line_has_time_level_message_run_and_fields(void **state)
{
    (void)state;
    struct tap_log *log = open_log((struct tap_log_options){0});
    tap_log_set_field(log, "run", "r-17");
    json_t *fields =
        json_pack("{s:s, s:i, s:s}", "operation", "CreateStack", "attempt", 2, "level", "forged");
    tap_log_write(log, TAP_LOG_WARN, 1767225600123, "said \"no\"\n", fields);
    json_decref(fields);
    tap_log_set_field(log, "run", NULL);
    tap_log_write(log, TAP_LOG_ERROR, 0, "second", NULL);
    tap_log_close(log);
    char *text = read_file(path);
    assert_string_equal(text, "{\"time\":\"2026-01-01T00:00:00.123Z\",\"level\":\"warn\","
                              "\"message\":\"said \\\"no\\\"\\n\",\"run\":\"r-17\","
                              "\"operation\":\"CreateStack\",\"attempt\":2}\n"
                              "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\","
                              "\"message\":\"second\"}\n");
    tap_free(text);
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    struct tap_log *log = open_log((struct tap_log_options){.level = TAP_LOG_WARN});
    tap_log_write(log, TAP_LOG_INFO, 0, "too low", NULL);
    tap_log_write(log, TAP_LOG_WARN, 0, "high enough", NULL);
    tap_log_close(log);
    json_t *lines = read_lines(path);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(field(lines, 0, "message"), "high enough");
    json_decref(lines);
}

static void bytes_that_are_no_utf8_do_not_cost_the_line(void **state)
{
    (void)state;
    struct tap_log *log = open_log((struct tap_log_options){0});
    tap_log_write(log, TAP_LOG_INFO, 0, "caf\xE9 \xF0\x9F", NULL);
    tap_log_close(log);
    json_t *lines = read_lines(path);
    assert_string_equal(field(lines, 0, "message"), "caf? ??");
    json_decref(lines);
}

static void the_stream_gets_every_line_too(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    struct tap_log *log = open_log((struct tap_log_options){.path = path, .stream = stream});
    tap_log_write(log, TAP_LOG_INFO, 0, "both", NULL);
    tap_log_close(log);
    fclose(stream);
    char *in_file = read_file(path);
    assert_string_equal(text, in_file);
    tap_free(in_file);
    free(text);
}

static void the_file_is_private_and_so_are_folders_made_for_it(void **state)
{
    (void)state;
    char deep[256];
    snprintf(deep, sizeof deep, "%s/a/b/tap.log", folder);
    mode_t old = umask(0);
    tap_log_close(open_log((struct tap_log_options){.path = deep}));
    umask(old);
    struct stat info;
    assert_int_equal(stat(deep, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    *strrchr(deep, '/') = '\0';
    assert_int_equal(stat(deep, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void a_file_that_cannot_be_opened_is_an_error_that_says_why(void **state)
{
    (void)state;
    struct tap_log *log = NULL;
    struct tap_error err;
    struct tap_log_options options = {.path = folder}; /* a folder is no file */
    assert_int_equal(tap_log_open(&log, &options, &err), TAP_E_IO);
    assert_null(log);
    assert_non_null(strstr(err.message, folder));
    assert_non_null(strstr(err.message, strerror(EISDIR)));

    tap_log_close(open_log((struct tap_log_options){0}));
    char below[256];
    snprintf(below, sizeof below, "%s/tap.log", path); /* below a file */
    options.path = below;
    assert_int_equal(tap_log_open(&log, &options, &err), TAP_E_IO);
    assert_non_null(strstr(err.message, below));
}

static void a_full_disk_is_counted_and_told_at_the_end(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    struct tap_log *log = open_log((struct tap_log_options){.path = "/dev/full", .stream = stream});
    tap_log_write(log, TAP_LOG_INFO, 0, "one", NULL);
    tap_log_write(log, TAP_LOG_INFO, 0, "two", NULL);
    assert_int_equal(tap_log_lost(log), 2);
    tap_log_close(log);
    fclose(stream);
    assert_non_null(strstr(text, "2 log lines could not be written to /dev/full"));
    assert_non_null(strstr(text, strerror(ENOSPC)));
    free(text);
}

static void it_rotates_by_size_and_keeps_so_many_files(void **state)
{
    (void)state;
    struct tap_log *log = open_log((struct tap_log_options){.max_size = 400, .keep = 2});
    for (int i = 0; i < 20; i++) {
        char message[32];
        snprintf(message, sizeof message, "line %02d", i);
        tap_log_write(log, TAP_LOG_INFO, 0, message, NULL);
    }
    tap_log_close(log);
    /* 79 bytes a line: 5 a file; 20 lines fill 4 files, of which the oldest is gone */
    char name[160];
    static const char *const first[] = {"line 15", "line 10", "line 05"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, i ? "%s.%d" : "%s", path, i);
        json_t *lines = read_lines(name);
        assert_int_equal(json_array_size(lines), 5);
        assert_string_equal(field(lines, 0, "message"), first[i]);
        json_decref(lines);
        struct stat info;
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    snprintf(name, sizeof name, "%s.3", path);
    assert_int_equal(access(name, F_OK), -1);
}

static void a_line_longer_than_a_file_is_kept_whole(void **state)
{
    (void)state;
    struct tap_log *log = open_log((struct tap_log_options){.max_size = 100});
    char *message = tap_alloc(5001);
    memset(message, 'x', 5000);
    tap_log_write(log, TAP_LOG_INFO, 0, message, NULL);
    tap_log_write(log, TAP_LOG_INFO, 0, "after", NULL);
    tap_log_close(log);
    char name[160];
    snprintf(name, sizeof name, "%s.1", path);
    json_t *lines = read_lines(name);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(field(lines, 0, "message"), message);
    json_decref(lines);
    tap_free(message);
}

static void it_follows_when_the_file_was_moved_away(void **state)
{
    (void)state;
    char moved[160];
    snprintf(moved, sizeof moved, "%s.moved", path);
    struct tap_log *log = open_log((struct tap_log_options){0});
    tap_log_write(log, TAP_LOG_INFO, 0, "before", NULL);
    assert_int_equal(rename(path, moved), 0);
    tap_log_write(log, TAP_LOG_INFO, 0, "after", NULL);
    tap_log_close(log);
    json_t *lines = read_lines(path);
    assert_string_equal(field(lines, 0, "message"), "after");
    json_decref(lines);
}

enum { WRITERS = 4, LINES_EACH = 500, FILE_SIZE = 20000, LONGEST_LINE = 120 };

static void write_as(int writer)
{
    struct tap_log *log = open_log((struct tap_log_options){.max_size = FILE_SIZE, .keep = 100});
    json_t *fields = json_pack("{s:i}", "writer", writer);
    for (int i = 0; i < LINES_EACH; i++) {
        json_object_set_new(fields, "i", json_integer(i));
        tap_log_write(log, TAP_LOG_INFO, 0, "several at once", fields);
    }
    json_decref(fields);
    tap_log_close(log);
}

/* Lines of all files: path, path.1, ... Those that were rotated must have been full. */
static size_t count_lines(bool seen[WRITERS][LINES_EACH], size_t *files)
{
    size_t total = 0;
    char name[160];
    struct stat info;
    for (*files = 0;; (*files)++) {
        snprintf(name, sizeof name, *files ? "%s.%zu" : "%s", path, *files);
        if (stat(name, &info) != 0)
            return total;
        assert_true(*files == 0 || info.st_size > FILE_SIZE - LONGEST_LINE);
        json_t *lines = read_lines(name), *line;
        size_t i;
        json_array_foreach(lines, i, line)
        {
            json_int_t writer = json_integer_value(json_object_get(line, "writer"));
            seen[writer][json_integer_value(json_object_get(line, "i"))] = true;
            total++;
        }
        json_decref(lines);
    }
}

static void several_processes_write_and_rotate_one_file_without_losing_a_line(void **state)
{
    (void)state;
    for (int writer = 0; writer < WRITERS; writer++) {
        if (fork() == 0) {
            write_as(writer);
            _exit(0);
        }
    }
    int status;
    while (wait(&status) > 0)
        assert_int_equal(status, 0);
    static bool seen[WRITERS][LINES_EACH];
    size_t files;
    assert_int_equal(count_lines(seen, &files), WRITERS * LINES_EACH);
    assert_true(files > 1);
    for (int writer = 0; writer < WRITERS; writer++)
        for (int i = 0; i < LINES_EACH; i++)
            assert_true(seen[writer][i]);
}

/* ---- redaction ---- */

static void check_redacted(const char *text, const char *expected)
{
    char *shown = tap_redact(text);
    assert_string_equal(shown, expected);
    tap_free(shown);
}

static void secrets_are_replaced_in_every_form(void **state)
{
    (void)state;
    tap_secret_register("pa/ss\"wo rd+\xC3\xA9");
    check_redacted("is pa/ss\"wo rd+\xC3\xA9.", "is ****.");
    check_redacted("\"pa/ss\\\"wo rd+\xC3\xA9\"", "\"****\"");
    check_redacted("\"pa\\/ss\\\"wo rd+\xC3\xA9\"", "\"****\"");
    check_redacted("\"pa/ss\\\"wo rd+\\u00E9\"", "\"****\"");
    check_redacted("?p=pa%2Fss%22wo%20rd%2B%C3%A9&q", "?p=****&q");
    check_redacted("cGEvc3Mid28gcmQrw6k=", "****");
}

static void a_secret_inside_longer_base64_is_found_at_each_place(void **state)
{
    (void)state;
    tap_secret_register("hunter2hunter2");
    /* what is left of the secret's digits are those that share bits with its neighbours */
    check_redacted("aHVudGVyMmh1bnRlcjIh", "****Ih");         /* hunter2hunter2! */
    check_redacted("dTpodW50ZXIyaHVudGVyMiE=", "dTp****iE="); /* u:hunter2hunter2! */
    check_redacted("dXM6aHVudGVyMmh1bnRlcjIh", "dXM6****Ih"); /* us:hunter2hunter2! */
    check_redacted("dXNyOmh1bnRlcjJodW50ZXIyIQ==", "dXNyOm****IQ==");
}

static void the_longest_secret_wins(void **state)
{
    (void)state;
    tap_secret_register("secret");
    tap_secret_register("secret-and-more");
    check_redacted("secret-and-more secret-and secretsecret", "**** ****-and ********");
}

static void short_texts_and_null_are_not_secrets(void **state)
{
    (void)state;
    tap_secret_register("admin");
    tap_secret_register("");
    tap_secret_register(NULL);
    check_redacted("admin", "admin");
}

static void no_secret_reaches_a_line_of_the_log(void **state)
{
    (void)state;
    tap_secret_register("wJalrXUtnFEMI/K7MDENG");
    struct tap_log *log = open_log((struct tap_log_options){0});
    tap_log_set_field(log, "run", "wJalrXUtnFEMI/K7MDENG");
    json_t *fields =
        json_pack("{s:{s:[s, i]}, s:s}", "deep", "wJalrXUtnFEMI/K7MDENG",
                  "x wJalrXUtnFEMI/K7MDENG y", 7, "auth", "d0phbHJYVXRuRkVNSS9LN01ERU5H");
    tap_log_write(log, TAP_LOG_INFO, 0, "key=wJalrXUtnFEMI%2FK7MDENG", fields);
    tap_log_close(log);
    char *text = read_file(path);
    assert_string_equal(text, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
                              "\"message\":\"key=****\",\"run\":\"****\","
                              "\"deep\":{\"****\":[\"x **** y\",7]},\"auth\":\"****\"}\n");
    tap_free(text);
    /* the caller's value is untouched */
    assert_string_equal(
        json_string_value(json_array_get(
            json_object_get(json_object_get(fields, "deep"), "wJalrXUtnFEMI/K7MDENG"), 0)),
        "x wJalrXUtnFEMI/K7MDENG y");
    json_decref(fields);
}

static void a_value_that_is_too_deep_is_masked_not_followed(void **state)
{
    (void)state;
    tap_secret_register("deep-secret");
    json_t *value = json_string("deep-secret");
    for (int i = 0; i < TAP_MAX_DEPTH + 10; i++)
        value = json_pack("[o]", value);
    json_t *shown = tap_redact_json(value);
    char *text = json_dumps(shown, 0);
    assert_null(strstr(text, "deep-secret"));
    free(text);
    json_decref(shown);
    json_decref(value);
}

static void without_secrets_a_value_is_shown_as_it_is(void **state)
{
    (void)state;
    json_t *value = json_pack("{s:s}", "a", "b");
    json_t *shown = tap_redact_json(value);
    assert_true(json_equal(shown, value));
    json_decref(shown);
    json_decref(value);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_line_has_time_level_message_run_and_fields),
        test(lines_below_the_level_are_not_written),
        test(bytes_that_are_no_utf8_do_not_cost_the_line),
        test(the_stream_gets_every_line_too),
        test(the_file_is_private_and_so_are_folders_made_for_it),
        test(a_file_that_cannot_be_opened_is_an_error_that_says_why),
        test(a_full_disk_is_counted_and_told_at_the_end),
        test(it_rotates_by_size_and_keeps_so_many_files),
        test(a_line_longer_than_a_file_is_kept_whole),
        test(it_follows_when_the_file_was_moved_away),
        test(several_processes_write_and_rotate_one_file_without_losing_a_line),
        test(secrets_are_replaced_in_every_form),
        test(a_secret_inside_longer_base64_is_found_at_each_place),
        test(the_longest_secret_wins),
        test(short_texts_and_null_are_not_secrets),
        test(no_secret_reaches_a_line_of_the_log),
        test(a_value_that_is_too_deep_is_masked_not_followed),
        test(without_secrets_a_value_is_shown_as_it_is),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
