/*
 * Credentials from the environment: what is taken, and how what is missing is told. The variables
 * of the person who runs the tests are not looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/credentials.h"
#include "core/log.h"
#include "core/mem.h"

static struct tap_credentials credentials;
static struct tap_error err;

static int empty_environment(void **state)
{
    (void)state;
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    tap_error_clear(&err);
    return 0;
}

static int release(void **state)
{
    (void)state;
    tap_credentials_fini(&credentials);
    tap_secrets_clear();
    return 0;
}

static void assert_says(const char *part)
{
    if (!strstr(err.message, part))
        fail_msg("'%s' does not say '%s'", err.message, part);
}

static void assert_refused(const char *name)
{
    assert_int_equal(tap_credentials_from_environment(&credentials, &err), TAP_E_CREDENTIALS);
    assert_string_equal(err.name, name);
    assert_null(credentials.access_key);
    assert_null(credentials.secret_key);
}

static void a_key_pair_is_enough(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG", 1);
    assert_int_equal(tap_credentials_from_environment(&credentials, &err), TAP_OK);
    assert_string_equal(credentials.access_key, "AKIDEXAMPLE");
    assert_string_equal(credentials.secret_key, "wJalrXUtnFEMI/K7MDENG");
    assert_null(credentials.session_token);
    assert_int_equal(credentials.expires, 0);
    assert_string_equal(credentials.source, "environment");
}

static void temporary_keys_come_with_their_token_and_their_end(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG", 1);
    setenv("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjE==", 1);
    setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00+00:00", 1);
    assert_int_equal(tap_credentials_from_environment(&credentials, &err), TAP_OK);
    assert_string_equal(credentials.session_token, "IQoJb3JpZ2luX2VjE==");
    assert_int_equal(credentials.expires, 1767225600);
}

static void none_at_all_says_what_to_set(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "", 1); /* as some CI systems set what is not there */
    assert_refused("NoCredentials");
    assert_says("AWS_ACCESS_KEY_ID");
    assert_says("AWS_SECRET_ACCESS_KEY");
}

static void half_a_pair_names_the_other_half(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    assert_refused("PartialCredentials");
    assert_says("AWS_SECRET_ACCESS_KEY is not");
    assert_says("export AWS_SECRET_ACCESS_KEY=");

    empty_environment(NULL);
    setenv("AWS_SECRET_ACCESS_KEY", "hush-hush", 1);
    assert_refused("PartialCredentials");
    assert_says("AWS_ACCESS_KEY_ID is not");
    assert_says("export AWS_ACCESS_KEY_ID=");
    assert_null(strstr(err.message, "hush"));
}

static void a_key_that_was_pasted_wrong_is_named_and_not_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *what;
    } cases[] = {
        {"AWS_SECRET_ACCESS_KEY", "hush-hush\n", "a line break"},
        {"AWS_SESSION_TOKEN", "hush hush", "a blank"},
        {"AWS_ACCESS_KEY_ID", "hush\xC2\xA0hush", "a character that no key has"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
        setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
        unsetenv("AWS_SESSION_TOKEN");
        setenv(cases[i].name, cases[i].value, 1);
        assert_refused("InvalidCredentials");
        assert_says(cases[i].name);
        assert_says(cases[i].what);
        assert_null(strstr(err.message, "hush"));
    }
}

static void an_end_that_is_no_time_is_refused(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_CREDENTIAL_EXPIRATION", "tomorrow", 1);
    assert_refused("InvalidCredentials");
    assert_says("AWS_CREDENTIAL_EXPIRATION");
    assert_says("tomorrow");
}

static void secrets_are_known_to_the_log_as_soon_as_they_are_set(void **state)
{
    (void)state;
    tap_credentials_set(&credentials, "AKIDEXAMPLE", "a-secret-key", "a-session-token");
    char *text = tap_redact("AKIDEXAMPLE a-secret-key and a-session-token");
    assert_string_equal(text, "AKIDEXAMPLE **** and ****");
    tap_free(text);
}

static void fini_leaves_nothing_and_may_be_repeated(void **state)
{
    (void)state;
    tap_credentials_set(&credentials, "AKIDEXAMPLE", "a-secret-key", NULL);
    tap_credentials_fini(&credentials);
    assert_null(credentials.access_key);
    assert_null(credentials.secret_key);
    tap_credentials_fini(&credentials);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_environment, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_pair_is_enough),
        TEST(temporary_keys_come_with_their_token_and_their_end),
        TEST(none_at_all_says_what_to_set),
        TEST(half_a_pair_names_the_other_half),
        TEST(a_key_that_was_pasted_wrong_is_named_and_not_repeated),
        TEST(an_end_that_is_no_time_is_refused),
        TEST(secrets_are_known_to_the_log_as_soon_as_they_are_set),
        TEST(fini_leaves_nothing_and_may_be_repeated),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
