/*
 * Profiles: what the two files say together, and what is told when they do not fit.
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

#include "core/mem.h"
#include "core/profile.h"

static char folder[64], config[96], credentials[96];
static struct tap_profiles *profiles;
static struct tap_profile profile;
static struct tap_error err;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tap-profile-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/config", folder);
    snprintf(credentials, sizeof credentials, "%s/credentials", folder);
    setenv("AWS_CONFIG_FILE", config, 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1);
    unsetenv("AWS_PROFILE");
    unsetenv("AWS_DEFAULT_PROFILE");
    tap_error_clear(&err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tap_profiles_free(profiles);
    profiles = NULL;
    chmod(config, 0600);
    remove(config);
    remove(credentials);
    return remove(folder);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static void read_files(const char *config_text, const char *credentials_text)
{
    if (config_text)
        write_file(config, config_text);
    if (credentials_text)
        write_file(credentials, credentials_text);
    tap_profiles_free(profiles);
    if (tap_profiles_read(&profiles, &err))
        fail_msg("%s", err.message);
}

static void find(const char *name)
{
    if (tap_profile_find(&profile, profiles, name, &err))
        fail_msg("%s", err.message);
}

static void assert_key(const char *key, const char *value)
{
    const char *is = tap_profile_get(&profile, key);
    if (!value)
        assert_null(is);
    else if (!is)
        fail_msg("no %s", key);
    else
        assert_string_equal(is, value);
}

static void assert_says(const char *part)
{
    if (!strstr(err.message, part))
        fail_msg("'%s' does not say '%s'", err.message, part);
}

static void both_files_make_one_profile_and_credentials_win(void **state)
{
    (void)state;
    read_files("[profile web]\nregion = eu-west-1\noutput = json\n",
               "[web]\naws_access_key_id = AKID\noutput = text\n");
    find("web");
    assert_key("region", "eu-west-1");
    assert_key("aws_access_key_id", "AKID");
    assert_key("output", "text");
    assert_key("nothing", NULL);
    assert_string_equal(tap_profile_file(&profile), config);
}

static void a_profile_may_be_in_one_file_only(void **state)
{
    (void)state;
    read_files("[profile a]\nregion = x\n", "[b]\nregion = y\n");
    find("a");
    assert_key("region", "x");
    find("b");
    assert_key("region", "y");
    assert_string_equal(tap_profile_file(&profile), credentials);
}

static void the_default_profile_needs_no_prefix_and_may_be_absent(void **state)
{
    (void)state;
    read_files("[default]\nregion = x\n", NULL);
    find("default");
    assert_key("region", "x");
    read_files("[default]\nregion = x\n[profile default]\nregion = y\n", NULL);
    find("default");
    assert_key("region", "y");
    read_files("", NULL);
    find("default");
    assert_key("region", NULL);
}

static void names_may_be_quoted(void **state)
{
    (void)state;
    read_files("[profile \"two words\"]\nregion = x\n[profile 'a']\nregion = y\n", NULL);
    find("two words");
    assert_key("region", "x");
    find("a");
    assert_key("region", "y");
}

static void other_sections_of_the_config_file_are_no_profiles(void **state)
{
    (void)state;
    read_files("[web]\nregion = x\n[profiles web]\nregion = x\n[profile a b]\nregion = x\n", NULL);
    assert_int_equal(tap_profile_find(&profile, profiles, "web", &err), TAP_E_CREDENTIALS);
    assert_int_equal(tap_profile_find(&profile, profiles, "a b", &err), TAP_E_CREDENTIALS);
}

static void an_unknown_profile_is_told_with_the_files_and_the_nearest_name(void **state)
{
    (void)state;
    read_files("[profile production]\nregion = x\n", "[staging]\nregion = x\n");
    assert_int_equal(tap_profile_find(&profile, profiles, "prodction", &err), TAP_E_CREDENTIALS);
    assert_string_equal(err.name, "ProfileNotFound");
    assert_says("'prodction'");
    assert_says(config);
    assert_says(credentials);
    assert_says("did you mean 'production'?");
    assert_int_equal(tap_profile_find(&profile, profiles, "stagin", &err), TAP_E_CREDENTIALS);
    assert_says("did you mean 'staging'?");
}

static void the_name_comes_from_the_option_or_the_environment(void **state)
{
    (void)state;
    assert_string_equal(tap_profile_name(NULL), "default");
    setenv("AWS_DEFAULT_PROFILE", "c", 1);
    assert_string_equal(tap_profile_name(""), "c");
    setenv("AWS_PROFILE", "b", 1);
    assert_string_equal(tap_profile_name(NULL), "b");
    assert_string_equal(tap_profile_name("a"), "a");
    setenv("AWS_PROFILE", "", 1); /* as CI systems set it */
    assert_string_equal(tap_profile_name(NULL), "c");
}

static void files_that_do_not_exist_are_empty(void **state)
{
    (void)state;
    read_files(NULL, NULL);
    find("default");
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    read_files(NULL, NULL);
    find("default");
}

static void the_files_are_those_of_the_home_folder_otherwise(void **state)
{
    (void)state;
    char *home = tap_strdup(getenv("HOME"));
    char path[96];
    unsetenv("AWS_CONFIG_FILE");
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    setenv("HOME", folder, 1);
    snprintf(path, sizeof path, "%s/.aws", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.aws/config", folder);
    write_file(path, "[default]\nregion = x\n");
    read_files(NULL, NULL);
    find("default");
    assert_key("region", "x");
    assert_string_equal(tap_profile_file(&profile), path);
    remove(path);
    snprintf(path, sizeof path, "%s/.aws", folder);
    remove(path);
    setenv("HOME", home ? home : "/", 1);
    tap_free(home);
}

static void a_broken_file_is_an_error_of_credentials_with_a_place(void **state)
{
    (void)state;
    write_file(credentials, "[a]\nx = 1\nsecretsecret\n");
    assert_int_equal(tap_profiles_read(&profiles, &err), TAP_E_CREDENTIALS);
    assert_int_equal(err.code, TAP_E_CREDENTIALS);
    assert_null(profiles);
    assert_string_equal(err.name, "InvalidConfig");
    assert_string_equal(err.file, credentials);
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 1);
}

static void a_folder_in_place_of_a_file_is_told(void **state)
{
    (void)state;
    setenv("AWS_CONFIG_FILE", folder, 1);
    assert_int_equal(tap_profiles_read(&profiles, &err), TAP_E_CREDENTIALS);
    assert_string_equal(err.name, "CannotRead");
    assert_says(folder);
}

static void files_with_keys_that_others_may_read_are_found(void **state)
{
    (void)state;
    read_files("[default]\nregion = x\n", "[a]\naws_secret_access_key = x\n");
    assert_null(tap_profiles_exposed(profiles));
    chmod(config, 0644); /* no keys in it: anybody may */
    assert_null(tap_profiles_exposed(profiles));
    chmod(credentials, 0640);
    assert_string_equal(tap_profiles_exposed(profiles), credentials);
    read_files("[default]\naws_secret_access_key = x\n", "[a]\nregion = x\n");
    chmod(config, 0604);
    assert_string_equal(tap_profiles_exposed(profiles), config);
}

static void assert_url(const char *service_id, const char *url)
{
    const char *is;
    if (tap_profile_endpoint_url(&is, &profile, service_id, &err))
        fail_msg("%s", err.message);
    if (!url)
        assert_null(is);
    else
        assert_string_equal(is, url);
}

static void a_service_has_the_address_of_its_section_or_of_the_profile(void **state)
{
    (void)state;
    read_files("[profile a]\nservices = dev\nendpoint_url = http://all\n"
               "[profile b]\nservices = dev\n"
               "[profile d]\nservices = prod\n"
               "[services dev]\ns3 =\n  endpoint_url = http://s3\nelastic_load_balancing_v2 =\n"
               "  endpoint_url = http://elb\n",
               NULL);
    find("a");
    assert_url("S3", "http://s3");
    assert_url("Elastic Load Balancing v2", "http://elb");
    assert_url("EC2", "http://all");
    find("b");
    assert_url("S3", "http://s3");
    assert_url("EC2", NULL);
    find("d");
    const char *url;
    assert_int_equal(tap_profile_endpoint_url(&url, &profile, "S3", &err), TAP_E_USAGE);
    assert_says("[services prod]");
    assert_says("profile 'd'");
}

static void the_profile_may_be_unreadable_and_is_told(void **state)
{
    (void)state;
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/proc/self/mem", 1); /* reading it fails for everyone */
    assert_int_equal(tap_profiles_read(&profiles, &err), TAP_E_CREDENTIALS);
    assert_string_equal(err.name, "CannotRead");
}

int main(void)
{
#define row(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        row(both_files_make_one_profile_and_credentials_win),
        row(a_profile_may_be_in_one_file_only),
        row(the_default_profile_needs_no_prefix_and_may_be_absent),
        row(names_may_be_quoted),
        row(other_sections_of_the_config_file_are_no_profiles),
        row(an_unknown_profile_is_told_with_the_files_and_the_nearest_name),
        row(the_name_comes_from_the_option_or_the_environment),
        row(files_that_do_not_exist_are_empty),
        row(the_files_are_those_of_the_home_folder_otherwise),
        row(a_broken_file_is_an_error_of_credentials_with_a_place),
        row(a_folder_in_place_of_a_file_is_told),
        row(the_profile_may_be_unreadable_and_is_told),
        row(files_with_keys_that_others_may_read_are_found),
        row(a_service_has_the_address_of_its_section_or_of_the_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
