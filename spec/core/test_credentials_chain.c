/*
 * The credential chain as a plan: which source wins, and what is told about profiles that do not
 * hold together. Rows are: the environment, the two files, the profile that was given, the answer.
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

#include "core/buf.h"
#include "core/credentials_chain.h"
#include "core/mem.h"
#include "core/secret.h"

static char folder[64], config[96], credentials[96];

struct row {
    const char *environment[6]; /* "NAME=value" */
    const char *config, *credentials, *given;
    const char *answer;  /* the plan as text (see below), or the error's name */
    const char *says[5]; /* parts of the error's message; CONFIG and CREDENTIALS are the paths */
};

#define CONFIG "\1"
#define CREDENTIALS "\2"
#define ENVIRONMENT_KEYS "AWS_ACCESS_KEY_ID=AKENV", "AWS_SECRET_ACCESS_KEY=secretsecret"
#define KEYS(id) "aws_access_key_id = " id "\naws_secret_access_key = secretsecret\n"

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tap-chain-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/config", folder);
    snprintf(credentials, sizeof credentials, "%s/credentials", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove(config);
    remove(credentials);
    tap_secrets_clear();
    return remove(folder);
}

static void clear_environment(void)
{
    extern char **environ;
    for (char **at = environ; *at;) {
        if (strncmp(*at, "AWS_", 4) != 0) {
            at++;
            continue;
        }
        char *name = tap_strndup(*at, strcspn(*at, "="));
        unsetenv(name);
        tap_free(name);
        at = environ;
    }
    setenv("AWS_CONFIG_FILE", config, 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text ? text : "", file);
    fclose(file);
}

/* "keys AKID", "role ARN by keys AKID", "process COMMAND", ... */
static char *plan_text(const struct tap_source *source)
{
    char *base, *text;
    switch (source->kind) {
    case TAP_SOURCE_KEYS:
        return tap_sprintf("keys %s%s%s", source->keys.access_key,
                           source->keys.session_token ? " " : "",
                           source->keys.session_token ? source->keys.session_token : "");
    case TAP_SOURCE_ROLE:
        base = plan_text(source->base);
        text = tap_sprintf("role %s by %s", source->role_arn, base);
        tap_free(base);
        return text;
    case TAP_SOURCE_WEB_IDENTITY:
        return tap_sprintf("web %s %s %s", source->role_arn, source->token_file,
                           source->session_name ? source->session_name : "-");
    case TAP_SOURCE_SSO:
        return tap_sprintf("sso %s %s %s %s", source->sso_cache_key, source->sso_region,
                           source->sso_account, source->sso_role);
    case TAP_SOURCE_PROCESS: return tap_sprintf("process %s", source->command);
    case TAP_SOURCE_CONTAINER: return tap_strdup("container");
    case TAP_SOURCE_INSTANCE: return tap_strdup("instance");
    }
    return NULL;
}

static void check_says(size_t i, const struct row *row, const struct tap_error *err)
{
    for (size_t s = 0; s < 5 && row->says[s]; s++) {
        const char *part = row->says[s];
        part = *part == *CONFIG ? config : *part == *CREDENTIALS ? credentials : part;
        if (!strstr(err->message, part))
            fail_msg("row %zu: '%s' does not say '%s'", i, err->message, part);
    }
    if (strstr(err->message, "secretsecret"))
        fail_msg("row %zu shows a secret: %s", i, err->message);
}

static void check_row(size_t i, const struct row *row)
{
    struct tap_profiles *profiles;
    struct tap_source *source = NULL;
    struct tap_error err;
    clear_environment();
    for (size_t e = 0; e < 6 && row->environment[e]; e++) {
        char *name = tap_strndup(row->environment[e], strcspn(row->environment[e], "="));
        setenv(name, strchr(row->environment[e], '=') + 1, 1);
        tap_free(name);
    }
    write_file(config, row->config);
    write_file(credentials, row->credentials);
    if (tap_profiles_read(&profiles, &err))
        fail_msg("row %zu: %s", i, err.message);
    tap_err code = tap_source_find(&source, profiles, row->given, &err);
    char *answer = code ? tap_strdup(err.name) : plan_text(source);
    if (code)
        check_says(i, row, &err);
    if (strcmp(answer, row->answer) != 0)
        fail_msg("row %zu: '%s', not '%s'%s%s", i, answer, row->answer, code ? ": " : "",
                 code ? err.message : "");
    assert_true(!code == !!source);
    assert_true(!code || code == TAP_E_CREDENTIALS);
    tap_free(answer);
    tap_source_free(source);
    tap_profiles_free(profiles);
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(i, &rows[i]);
}
#define check(rows) check_rows(rows, sizeof rows / sizeof *rows)

static void sources_win_in_the_order_of_the_sdks(void **state)
{
    (void)state;
    /* one profile that has everything, which the rows then take away one by one */
    static const struct row rows[] = {
        {.environment = {ENVIRONMENT_KEYS, "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r"},
         .config = "[default]\nrole_arn = q\ncredential_source = Environment\n",
         .credentials = "[default]\n" KEYS("AKFILE"),
         .answer = "keys AKENV"},
        {.environment = {"AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r"},
         .config = "[default]\nrole_arn = q\nsource_profile = default\n",
         .credentials = "[default]\n" KEYS("AKFILE"),
         .answer = "role q by keys AKFILE"},
        {.environment = {"AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r",
                         "AWS_ROLE_SESSION_NAME=s"},
         .credentials = "[default]\n" KEYS("AKFILE"),
         .answer = "web r /t s"},
        {.config = "[default]\nweb_identity_token_file = /u\nrole_arn = q\nsso_account_id = 1\n",
         .credentials = "[default]\n" KEYS("AKFILE"),
         .answer = "web q /u -"},
        {.config = "[default]\nsso_account_id = 1\nsso_role_name = n\nsso_region = g\n"
                   "sso_start_url = https://u\ncredential_process = p\n",
         .credentials = "[default]\n" KEYS("AKFILE"),
         .answer = "sso https://u g 1 n"},
        {.config = "[default]\ncredential_process = p\n" KEYS("AKCONFIG"),
         .credentials = "[default]\n" KEYS("AKFILE"),
         .answer = "keys AKFILE"},
        {.config = "[default]\ncredential_process = p q\n" KEYS("AKCONFIG"),
         .answer = "process p q"},
        {.environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/"},
         .config = "[default]\n" KEYS("AKCONFIG"),
         .answer = "keys AKCONFIG"},
        {.environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/",
                         "AWS_EC2_METADATA_DISABLED=false"},
         .answer = "container"},
        {.environment = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x"}, .answer = "container"},
        {.environment = {"AWS_EC2_METADATA_DISABLED=False"}, .answer = "instance"},
    };
    check(rows);
}

static void a_profile_that_is_given_wins_over_the_environment(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.environment = {ENVIRONMENT_KEYS},
         .credentials = "[a]\n" KEYS("AKFILE"),
         .given = "a",
         .answer = "keys AKFILE"},
        {.environment = {ENVIRONMENT_KEYS, "AWS_PROFILE=a"},
         .credentials = "[a]\n" KEYS("AKFILE"),
         .answer = "keys AKENV"},
        {.environment = {"AWS_PROFILE=a", "AWS_DEFAULT_PROFILE=b"},
         .credentials = "[a]\n" KEYS("AKA") "[b]\n" KEYS("AKB"),
         .answer = "keys AKA"},
        {.environment = {"AWS_PROFILE=a"},
         .credentials = "[a]\n" KEYS("AKA") "[b]\n" KEYS("AKB"),
         .given = "b",
         .answer = "keys AKB"},
        {.environment = {"AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r"},
         .credentials = "[a]\n" KEYS("AKFILE"),
         .given = "a",
         .answer = "keys AKFILE"},
        {.environment = {ENVIRONMENT_KEYS},
         .config = "[profile a]\nregion = x\n",
         .given = "a",
         .answer = "NoCredentials",
         .says = {"profile 'a'", CONFIG, "role_arn", "aws_access_key_id"}},
    };
    check(rows);
}

static void keys_come_in_pairs_of_one_file(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.credentials = "[default]\n" KEYS("AK") "aws_session_token = tokentoken\n",
         .answer = "keys AK tokentoken"},
        {.credentials = "[default]\n" KEYS("AK") "aws_security_token = oldtoken\n",
         .answer = "keys AK oldtoken"},
        {.credentials = "[default]\naws_access_key_id = AK\n",
         .answer = "PartialCredentials",
         .says = {"profile 'default'", CREDENTIALS, "has aws_access_key_id",
                  "not aws_secret_access_key"}},
        {.config = "[default]\naws_secret_access_key = secretsecret\n",
         .credentials = "[default]\naws_access_key_id = AK\n",
         .answer = "PartialCredentials",
         .says = {CREDENTIALS}},
        {.config = "[profile a]\naws_secret_access_key = secretsecret\n",
         .given = "a",
         .answer = "PartialCredentials",
         .says = {"profile 'a'", CONFIG, "not aws_access_key_id"}},
        {.environment = {"AWS_ACCESS_KEY_ID=AK"},
         .answer = "PartialCredentials",
         .says = {"AWS_SECRET_ACCESS_KEY"}},
    };
    check(rows);
}

static void roles_are_assumed_by_other_profiles_and_by_the_machine(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.config = "[profile a]\nrole_arn = ra\nsource_profile = b\n"
                   "[profile b]\nrole_arn = rb\nsource_profile = c\n",
         .credentials = "[c]\n" KEYS("AKC"),
         .given = "a",
         .answer = "role ra by role rb by keys AKC"},
        {.config = "[profile a]\nrole_arn = ra\nsource_profile = a\n" KEYS("AKA"),
         .given = "a",
         .answer = "role ra by keys AKA"},
        {.config = "[profile a]\nrole_arn = ra\nsource_profile = b\n"
                   "[profile b]\ncredential_process = p\n",
         .given = "a",
         .answer = "role ra by process p"},
        {.config = "[profile a]\nrole_arn = ra\nsource_profile = b\n"
                   "[profile b]\nrole_arn = rb\nweb_identity_token_file = /t\n",
         .given = "a",
         .answer = "role ra by web rb /t -"},
        {/* keys of its own are used rather than its role */
         .config = "[profile a]\nrole_arn = ra\nsource_profile = b\n"
                   "[profile b]\nrole_arn = rb\nsource_profile = c\n" KEYS("AKB"),
         .given = "a",
         .answer = "role ra by keys AKB"},
        {.environment = {ENVIRONMENT_KEYS},
         .config = "[profile a]\nrole_arn = ra\ncredential_source = Environment\n",
         .given = "a",
         .answer = "role ra by keys AKENV"},
        {.environment = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x", "AWS_PROFILE=a"},
         .config = "[profile a]\nrole_arn = ra\ncredential_source = EcsContainer\n",
         .answer = "role ra by container"},
        {.config = "[profile a]\nrole_arn = ra\ncredential_source = Ec2InstanceMetadata\n",
         .given = "a",
         .answer = "role ra by instance"},
    };
    check(rows);
}

static void profiles_that_do_not_hold_together_are_told(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.config = "[profile a]\nrole_arn = r\nsource_profile = b\n"
                   "[profile b]\nrole_arn = r\nsource_profile = c\n"
                   "[profile c]\nrole_arn = r\nsource_profile = b\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {CONFIG, "source_profile", "a -> b -> c -> b"}},
        {.config = "[profile a]\nrole_arn = r\nsource_profile = a\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"a -> a"}},
        {.config = "[profile a]\nrole_arn = r\nsource_profile = nobody\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"profile 'a'", CONFIG, "source_profile = nobody", "there is no profile"}},
        {.config = "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nregion = x\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"profile 'a'", "source_profile = b", "no credentials", "give it keys"}},
        {.config = "[profile a]\nrole_arn = r\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"profile 'a'", CONFIG, "neither source_profile nor credential_source"}},
        {.config = "[profile a]\nrole_arn = r\nsource_profile = b\ncredential_source = x\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"source_profile and credential_source", "keep one"}},
        {.config = "[profile a]\nrole_arn = r\ncredential_source = Moon\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"credential_source = Moon", "Environment, Ec2InstanceMetadata or EcsContainer"}},
        {.config = "[profile a]\nrole_arn = r\ncredential_source = EcsContainer\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}},
        {.environment = {"AWS_EC2_METADATA_DISABLED=true"},
         .config = "[profile a]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"AWS_EC2_METADATA_DISABLED is true"}},
        {.config = "[profile a]\nrole_arn = r\ncredential_source = Environment\n",
         .given = "a",
         .answer = "NoCredentials",
         .says = {"AWS_ACCESS_KEY_ID"}},
        {.config = "[profile a]\nrole_arn = r\nsource_profile = b\nduration_seconds = 10\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"duration_seconds = 10", "from 900 to 43200"}},
        {.config = "[profile a]\nrole_arn = r\nsource_profile = b\nmfa_serial = m\n",
         .given = "a",
         .answer = "MfaUnsupported",
         .says = {"profile 'a'", CONFIG, "mfa_serial", "aws configure export-credentials"}},
        {.config = "[profile a]\nweb_identity_token_file = /t\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"web_identity_token_file", "no role_arn"}},
        {.environment = {"AWS_WEB_IDENTITY_TOKEN_FILE=/t"},
         .answer = "PartialCredentials",
         .says = {"AWS_ROLE_ARN"}},
        {.config = "[profile a]\nlogin_session = x\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"login_session", "not supported", "export-credentials"}},
        {.given = "nobody", .answer = "ProfileNotFound", .says = {"'nobody'", CONFIG, CREDENTIALS}},
        {.environment = {"AWS_PROFILE=nobody", ENVIRONMENT_KEYS},
         .answer = "ProfileNotFound",
         .says = {"'nobody'"}},
        {.answer = "NoCredentials",
         .says = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", CONFIG,
                  "AWS_EC2_METADATA_DISABLED=false"}},
        {.config = "[default]\nregion = x\n",
         .answer = "NoCredentials",
         .says = {"profile 'default'", CONFIG, "AWS_ACCESS_KEY_ID"}},
    };
    check(rows);
}

static void identity_center_is_configured_by_session_or_by_profile(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.config = "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = n\n"
                   "[sso-session s]\nsso_region = g\nsso_start_url = https://u\n",
         .given = "a",
         .answer = "sso s g 1 n"},
        {.config = "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = n\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"profile 'a'", CONFIG, "[sso-session s]"}},
        {.config = "[profile a]\nsso_session = s\nsso_account_id = 1\n"
                   "[sso-session s]\nsso_region = g\nsso_start_url = https://u\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"no sso_role_name"}},
        {.config = "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = n\n"
                   "sso_region = other\n"
                   "[sso-session s]\nsso_region = g\nsso_start_url = https://u\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"differ in sso_region"}},
        {.config = "[profile a]\nsso_account_id = 1\nsso_role_name = n\nsso_region = g\n",
         .given = "a",
         .answer = "InvalidProfile",
         .says = {"no sso_start_url"}},
    };
    check(rows);
}

static void a_chain_of_too_many_profiles_is_refused(void **state)
{
    (void)state;
    struct tap_buf text;
    tap_buf_init(&text, 100000);
    for (int i = 0; i < TAP_MAX_ROLE_CHAIN + 1; i++)
        tap_buf_printf(&text, "[profile p%d]\nrole_arn = r\nsource_profile = p%d\n", i, i + 1);
    tap_buf_printf(&text, "[profile p%d]\n" KEYS("AK"), TAP_MAX_ROLE_CHAIN + 1);
    const struct row rows[] = {
        {.config = tap_buf_text(&text),
         .given = "p0",
         .answer = "InvalidProfile",
         .says = {"more than 16 profiles"}},
    };
    check(rows);
    tap_buf_fini(&text);
}

int main(void)
{
#define row(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        row(sources_win_in_the_order_of_the_sdks),
        row(a_profile_that_is_given_wins_over_the_environment),
        row(keys_come_in_pairs_of_one_file),
        row(roles_are_assumed_by_other_profiles_and_by_the_machine),
        row(profiles_that_do_not_hold_together_are_told),
        row(identity_center_is_configured_by_session_or_by_profile),
        row(a_chain_of_too_many_profiles_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
