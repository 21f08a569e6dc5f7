/*
 * Credentials that must be asked for: STS, IAM Identity Center, a container, an instance and a
 * program, played by one server on loopback and by shell scripts, on the virtual clock. The calls
 * that need them are a client's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/client.h"
#include "core/credentials_provider.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/server.h"
#include "core/timestamp.h"

enum { MAX_CALLS = 64, START_S = 1767225600, HOUR_S = 3600 };

static const char service2[] =
    "{'metadata': {'apiVersion': '2026-01-01', 'endpointPrefix': 'thing', 'protocol': 'query',"
    "  'serviceId': 'Thing', 'signatureVersion': 'v4', 'signingName': 'thing'},"
    " 'operations': {'CreateThing': {'name': 'CreateThing', 'http': {'method': 'POST',"
    "  'requestUri': '/'}}}, 'shapes': {}}";

/* Who was asked. */
enum asked { STS, WEB, SSO, OIDC, CONTAINER, TOKEN, ROLE, INSTANCE, THING, N_ASKED };

struct fixture {
    char folder[64];
    struct tap_loop *loop;
    struct tap_server *server;
    struct tap_op *accept;
    struct tap_log *log;
    FILE *stream;
    char *log_text;
    size_t log_len;
    char url[64];

    int64_t lifetime_s; /* of what is issued */
    bool no_renewal;    /* of sign-ins */
    int issued;         /* credentials: AKISSUED1, ... */
    int status;         /* of the sources' answers; 0: 200 */
    const char *body;   /* instead of credentials; NULL: credentials */
    int expired;        /* AKISSUEDn is refused by the thing as expired; 0: none is */
    int expire_after;   /* things that are still accepted before that */
    int asked[N_ASKED];
    char seen[MAX_CALLS][32]; /* the access key of each request to the thing */
    char sts_key[32];         /* the last one that asked STS */
    char *request;            /* the last request to a source: target, headers, body */
};

/* ---- the world ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (const char *c = text; *c; c++)
        fputc(*c, file);
    fclose(file);
    chmod(path, 0600);
}

static void write_model(const struct fixture *f)
{
    char text[sizeof service2];
    for (size_t i = 0; i < sizeof service2; i++)
        text[i] = service2[i] == '\'' ? '"' : service2[i];
    write_file(f->folder, "thing/2026-01-01/service-2.json", text);
}

static void set_environment(struct fixture *f)
{
    extern char **environ;
    for (char **at = environ; *at;) {
        if (strncmp(*at, "AWS_", 4) != 0 && strncmp(*at, "http_proxy=", 11) != 0) {
            at++;
            continue;
        }
        char *name = tap_strndup(*at, strcspn(*at, "="));
        unsetenv(name);
        tap_free(name);
        at = environ;
    }
    setenv("HOME", f->folder, 1); /* ~/.aws is ours */
    setenv("AWS_DATA_PATH", f->folder, 1);
    setenv("AWS_REGION", "eu-central-1", 1);
    setenv("AWS_ENDPOINT_URL", f->url, 1);
}

static int setup(void **state)
{
    struct fixture *f = tap_alloc(sizeof *f);
    struct tap_error err;
    snprintf(f->folder, sizeof f->folder, "/tmp/tap-provider-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->loop = tap_loop_new(&err);
    assert_non_null(f->loop);
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    tap_loop_set_time(f->loop, START_S * 1000LL);
    if (tap_server_listen(&f->server, f->loop, "127.0.0.1", 0, NULL, &err))
        fail_msg("%s", err.message);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d", tap_server_port(f->server));
    f->stream = open_memstream(&f->log_text, &f->log_len);
    struct tap_log_options options = {.stream = f->stream, .level = TAP_LOG_DEBUG};
    assert_int_equal(tap_log_open(&f->log, &options, &err), TAP_OK);
    f->lifetime_s = HOUR_S;
    write_model(f);
    set_environment(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    if (f->accept)
        tap_op_cancel(f->accept);
    tap_server_close(f->server);
    assert_int_equal(tap_loop_outstanding(f->loop), 0);
    tap_loop_free(f->loop);
    tap_log_close(f->log);
    fclose(f->stream);
    free(f->log_text);
    tap_free(f->request);
    tap_providers_clear();
    tap_model_unload_all();
    tap_secrets_clear();
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    tap_free(f);
    return system(command); /* NOLINT(cert-env33-c): the name is ours */
}

static void profile(const struct fixture *f, const char *config, const char *credentials)
{
    write_file(f->folder, ".aws/config", config);
    if (credentials)
        write_file(f->folder, ".aws/credentials", credentials);
}

/* ---- the services ---- */

static const char *note_key(char *out, size_t size, const struct tap_request *request)
{
    const char *authorization = tap_headers_get(&request->headers, "Authorization");
    const char *key = authorization ? strstr(authorization, "Credential=") : NULL;
    snprintf(out, size, "%.*s", key ? (int)strcspn(key + 11, "/") : 1, key ? key + 11 : "-");
    return out;
}

static void note_request(struct fixture *f, const struct tap_request *request)
{
    struct tap_buf text;
    tap_buf_init(&text, 100000);
    tap_buf_printf(&text, "%s %s\n", request->method, request->target);
    for (size_t i = 0; i < request->headers.n; i++)
        tap_buf_printf(&text, "%s: %s\n", request->headers.items[i].name,
                       request->headers.items[i].value);
    tap_buf_printf(&text, "\n%s", tap_buf_text(&request->body));
    tap_free(f->request);
    f->request = tap_buf_take(&text, NULL);
}

static void add_sts(struct fixture *f, struct tap_buf *out, const char *operation)
{
    char until[TAP_TIME_SIZE];
    int n = ++f->issued;
    tap_time_iso(until, (double)(tap_loop_wall(f->loop) / 1000 + f->lifetime_s), false);
    tap_buf_printf(out,
                   "<%sResponse><%sResult><Credentials><AccessKeyId>AKISSUED%d</AccessKeyId>"
                   "<SecretAccessKey>secret-issued-%d</SecretAccessKey>"
                   "<SessionToken>token-issued-%d</SessionToken><Expiration>%s</Expiration>"
                   "</Credentials></%sResult></%sResponse>",
                   operation, operation, n, n, n, until, operation, operation);
}

static void add_json(struct fixture *f, struct tap_buf *out, const char *token)
{
    char until[TAP_TIME_SIZE];
    int n = ++f->issued;
    tap_time_iso(until, (double)(tap_loop_wall(f->loop) / 1000 + f->lifetime_s), false);
    tap_buf_printf(out,
                   "{\"AccessKeyId\": \"AKISSUED%d\", \"SecretAccessKey\": \"secret-issued-%d\", "
                   "\"%s\": \"token-issued-%d\", \"Expiration\": \"%s\"}",
                   n, n, token, n, until);
}

static void add_sso(struct fixture *f, struct tap_buf *out)
{
    int n = ++f->issued;
    tap_buf_printf(out,
                   "{\"roleCredentials\": {\"accessKeyId\": \"AKISSUED%d\", \"secretAccessKey\": "
                   "\"secret-issued-%d\", \"sessionToken\": \"token-issued-%d\", \"expiration\": "
                   "%lld}}",
                   n, n, n, (long long)(tap_loop_wall(f->loop) + f->lifetime_s * 1000));
}

static int answer_thing(struct fixture *f, const struct tap_request *request, struct tap_buf *out)
{
    char wanted[32];
    int i = f->asked[THING] - 1;
    assert_true(i < MAX_CALLS);
    note_key(f->seen[i], sizeof f->seen[i], request);
    snprintf(wanted, sizeof wanted, "AKISSUED%d", f->expired);
    if (f->expired && i >= f->expire_after && strcmp(f->seen[i], wanted) == 0) {
        tap_buf_puts(out, "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security "
                          "token included in the request is expired</Message></Error>"
                          "</ErrorResponse>");
        return 403;
    }
    tap_buf_puts(out, "<CreateThingResponse/>");
    return 200;
}

static enum asked who(const struct tap_request *request)
{
    static const struct {
        const char *target;
        enum asked asked;
    } targets[] = {
        {"/federation/credentials", SSO},
        {"/token", OIDC},
        {"/container", CONTAINER},
        {"/latest/api/token", TOKEN},
        {"/latest/meta-data/iam/security-credentials/my", INSTANCE},
        {"/latest/meta-data/iam/security-credentials/", ROLE},
    };
    const char *body = tap_buf_text(&request->body);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (strncmp(request->target, targets[i].target, strlen(targets[i].target)) == 0)
            return targets[i].asked;
    if (strstr(body, "Action=AssumeRoleWithWebIdentity"))
        return WEB;
    return strstr(body, "Action=AssumeRole&") ? STS : THING;
}

static void serve(struct fixture *f, struct tap_exchange *exchange)
{
    const struct tap_request *request = tap_exchange_request(exchange);
    struct tap_response response;
    tap_response_init(&response);
    enum asked asked = who(request);
    f->asked[asked]++;
    response.status = f->status && asked != THING ? f->status : 200;
    if (asked == OIDC && f->no_renewal)
        response.status = 400;
    if (asked != THING)
        note_request(f, request);
    if (f->body && asked != THING && asked != TOKEN && asked != ROLE)
        tap_buf_puts(&response.body, f->body);
    else
        switch (asked) {
        case STS:
            note_key(f->sts_key, sizeof f->sts_key, request);
            add_sts(f, &response.body, "AssumeRole");
            break;
        case WEB: add_sts(f, &response.body, "AssumeRoleWithWebIdentity"); break;
        case SSO: add_sso(f, &response.body); break;
        case OIDC:
            tap_buf_puts(&response.body, "{\"accessToken\": \"sso-token-2\", \"refreshToken\": "
                                         "\"refresh-2\", \"expiresIn\": 3600}");
            break;
        case CONTAINER: add_json(f, &response.body, "Token"); break;
        case TOKEN: tap_buf_puts(&response.body, "metadata-token"); break;
        case ROLE: tap_buf_puts(&response.body, "my-role"); break;
        case INSTANCE: add_json(f, &response.body, "Token"); break;
        case THING: response.status = answer_thing(f, request, &response.body); break;
        case N_ASKED: break;
        }
    tap_exchange_respond(exchange, &response);
}

/* ---- calls ---- */

static struct tap_client *new_client(struct fixture *f, const char *given)
{
    struct tap_client *client;
    struct tap_error err;
    struct tap_client_options options = {.profile = given, .log = f->log};
    if (tap_client_new(&client, f->loop, "thing", &options, &err))
        fail_msg("%s", err.message);
    return client;
}

static struct tap_op *start(struct tap_client *client)
{
    struct tap_op *call;
    struct tap_error err;
    if (tap_client_call(&call, client, "CreateThing", NULL, &err))
        fail_msg("%s", err.message);
    return call;
}

/* The next operation that is not the server's; requests are served on the way. */
static struct tap_op *next(struct fixture *f)
{
    for (;;) {
        if (!f->accept)
            f->accept = tap_server_accept(f->server);
        struct tap_op *op = tap_loop_next(f->loop, 10000);
        assert_non_null(op);
        if (op != f->accept)
            return op;
        serve(f, tap_accept_take(op));
        tap_op_free(op);
        f->accept = NULL;
    }
}

static void wait_for(struct fixture *f, int64_t seconds)
{
    struct tap_op *timer = tap_timer_start(f->loop, seconds * 1000);
    assert_ptr_equal(next(f), timer);
    tap_op_free(timer);
}

static void assert_done(struct tap_op *call)
{
    if (tap_op_error(call))
        fail_msg("%s", tap_op_error(call)->message);
    tap_op_free(call);
}

static void call_once(struct fixture *f, struct tap_client *client)
{
    struct tap_op *call = start(client);
    assert_ptr_equal(next(f), call);
    assert_done(call);
}

/* One call of a new client, which must fail; its error. */
static struct tap_error failing_call(struct fixture *f, const char *given)
{
    struct tap_client *client = new_client(f, given);
    struct tap_op *call = start(client);
    tap_client_free(client);
    assert_ptr_equal(next(f), call);
    assert_non_null(tap_op_error(call));
    struct tap_error error = *tap_op_error(call);
    tap_op_free(call);
    assert_string_equal(error.service, "thing");
    assert_string_equal(error.operation, "CreateThing");
    assert_int_equal(f->asked[THING], 0);
    return error;
}

static void one_call(struct fixture *f, const char *given)
{
    struct tap_client *client = new_client(f, given);
    call_once(f, client);
    tap_client_free(client);
}

static void assert_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' does not say '%s'", text, part);
}

static const char *log_text(struct fixture *f)
{
    fflush(f->stream);
    return f->log_text;
}

#define ROLE_PROFILE                                                                               \
    "[default]\nrole_arn = arn:aws:iam::123456789012:role/web\nsource_profile = base\n"
#define BASE_KEYS "[base]\naws_access_key_id = AKBASE\naws_secret_access_key = secret-of-base\n"

/* ---- each source ---- */

static void a_role_is_assumed_by_the_keys_of_its_source(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE "external_id = e-1\nduration_seconds = 3600\nrole_session_name = me\n",
            BASE_KEYS);
    one_call(f, NULL);
    assert_int_equal(f->asked[STS], 1);
    assert_string_equal(f->sts_key, "AKBASE");
    assert_string_equal(f->seen[0], "AKISSUED1");
    assert_text(f->request, "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fweb");
    assert_text(f->request, "RoleSessionName=me");
    assert_text(f->request, "ExternalId=e-1");
    assert_text(f->request, "DurationSeconds=3600");
}

static void a_session_without_a_name_gets_ours(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    one_call(f, NULL);
    assert_text(f->request, "RoleSessionName=tapengine-1767225600");
    assert_null(strstr(f->request, "ExternalId"));
    assert_null(strstr(f->request, "DurationSeconds"));
}

static void roles_are_assumed_one_by_another(void **state)
{
    struct fixture *f = *state;
    profile(f,
            "[profile a]\nrole_arn = arn:aws:iam::1:role/second\nsource_profile = b\n"
            "[profile b]\nrole_arn = arn:aws:iam::1:role/first-one\nsource_profile = base\n",
            BASE_KEYS);
    one_call(f, "a");
    assert_int_equal(f->asked[STS], 2);
    assert_string_equal(f->sts_key, "AKISSUED1");
    assert_string_equal(f->seen[0], "AKISSUED2");
}

static void sts_may_have_an_address_of_its_own_in_the_profile(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    setenv("AWS_ENDPOINT_URL_THING", f->url, 1);
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_REGION"); /* the profile has one */
    snprintf(text, sizeof text,
             ROLE_PROFILE "services = local\nregion = eu-west-3\n[services local]\nsts =\n"
                          "  endpoint_url = %s\n",
             f->url);
    profile(f, text, BASE_KEYS);
    one_call(f, NULL);
    assert_int_equal(f->asked[STS], 1);
    assert_text(f->request, "/eu-west-3/sts/");
}

static void web_identity_reads_its_token_each_time(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/token", f->folder);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod", 1);
    setenv("AWS_ROLE_SESSION_NAME", "pod-1", 1);
    write_file(f->folder, "token", "first-identity\n");
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    assert_int_equal(f->asked[WEB], 1);
    assert_text(f->request, "WebIdentityToken=first-identity");
    assert_text(f->request, "RoleSessionName=pod-1");
    assert_null(strstr(f->request, "Authorization")); /* nobody signs it */
    write_file(f->folder, "token", "second-identity");
    wait_for(f, HOUR_S);
    call_once(f, client);
    assert_int_equal(f->asked[WEB], 2);
    assert_text(f->request, "WebIdentityToken=second-identity");
    assert_string_equal(f->seen[1], "AKISSUED2");
    tap_client_free(client);
}

static void a_missing_identity_token_is_told(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token", 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod", 1);
    struct tap_error error = failing_call(f, NULL);
    assert_int_equal(error.code, TAP_E_CREDENTIALS);
    assert_text(error.message, "/nowhere/token");
    assert_text(error.message, "role/pod");
}

static void a_refused_role_is_told_with_profile_role_and_reason(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    f->status = 403;
    f->body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
              "<RequestId>r-7</RequestId></ErrorResponse>";
    struct tap_error error = failing_call(f, NULL);
    assert_int_equal(error.code, TAP_E_CREDENTIALS);
    assert_string_equal(error.name, "AccessDenied");
    assert_string_equal(error.request_id, "r-7");
    assert_text(error.message, "profile 'default' of ");
    assert_text(error.message, "/.aws/config: cannot assume "
                               "arn:aws:iam::123456789012:role/web: AccessDenied: not you");
}

#define SCRIPT(body) "#!/bin/sh\n" body

static void use_process(struct fixture *f, const char *script)
{
    char text[512], path[128];
    write_file(f->folder, "get creds", script);
    snprintf(path, sizeof path, "%s/get creds", f->folder);
    chmod(path, 0700);
    snprintf(text, sizeof text, "[profile p]\ncredential_process = \"%s\" --for 'two words'\n",
             path);
    profile(f, text, NULL);
}

static void a_program_gives_credentials(void **state)
{
    struct fixture *f = *state;
    use_process(f, SCRIPT("echo x >> \"$0.count\"\n"
                          "[ \"$#$2\" = '2two words' ] && echo '{\"Version\": 1, \"AccessKeyId\": "
                          "\"AKPROCESS\", \"SecretAccessKey\": \"secret-of-process\"}'\n"));
    struct tap_client *client = new_client(f, "p");
    call_once(f, client);
    wait_for(f, 10 * HOUR_S);
    call_once(f, client); /* they do not expire */
    tap_client_free(client);
    one_call(f, "p"); /* and another client has them, too */
    char path[128], text[16] = "";
    snprintf(path, sizeof path, "%s/get creds.count", f->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), 2);
    fclose(file);
    assert_string_equal(f->seen[0], "AKPROCESS");
    assert_string_equal(f->seen[2], "AKPROCESS");
}

static void a_program_that_fails_is_told_with_what_it_said(void **state)
{
    struct fixture *f = *state;
    use_process(f, SCRIPT("printf 'no\\033[31m  way\\nback\\n' >&2; exit 3\n"));
    struct tap_error error = failing_call(f, "p");
    assert_int_equal(error.code, TAP_E_CREDENTIALS);
    assert_string_equal(error.name, "ProcessFailed");
    assert_text(error.message, "credential_process of profile 'p' of ");
    assert_text(error.message, "failed with exit code 3: no [31m way back");
}

static void what_a_program_prints_is_checked(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *script, *says;
    } rows[] = {
        {SCRIPT("echo hello\n"), "printed no JSON"},
        {SCRIPT("echo '[]'\n"), "\"Version\": 1"},
        {SCRIPT("echo '{\"Version\": 2}'\n"), "\"Version\": 1"},
        {SCRIPT("echo '{\"Version\": 1}'\n"), "without AccessKeyId"},
        {SCRIPT("echo '{\"Version\": 1, \"AccessKeyId\": \"AKPROCESS\"}'\n"),
         "without SecretAccessKey"},
        {SCRIPT("echo '{\"Version\": 1, \"AccessKeyId\": \"AKPROCESS\", \"SecretAccessKey\": "
                "\"topsecret\", \"Expiration\": \"soon\"}'\n"),
         "Expiration is no time"},
        {SCRIPT("echo '{\"Version\": 1, \"AccessKeyId\": \"AKPROCESS\", \"SecretAccessKey\": "
                "\"topsecret\", \"Expiration\": \"2020-01-01T00:00:00Z\"}'\n"),
         "expired already"},
        {SCRIPT("kill -9 $$\n"), "ended by signal 9"},
        {SCRIPT("head -c 300000 /dev/zero\n"), "more than 262144 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        use_process(f, rows[i].script);
        struct tap_error error = failing_call(f, "p");
        assert_int_equal(error.code, TAP_E_CREDENTIALS);
        assert_text(error.message, rows[i].says);
        assert_null(strstr(error.message, "topsecret"));
    }
}

static void a_program_that_is_not_there_is_told(void **state)
{
    struct fixture *f = *state;
    profile(f, "[profile p]\ncredential_process = /nowhere/program\n", NULL);
    assert_text(failing_call(f, "p").message, "cannot start '/nowhere/program'");
    profile(f, "[profile q]\ncredential_process = 'open\n", NULL);
    assert_text(failing_call(f, "q").message, "a quote is not closed");
}

static void a_program_that_hangs_is_ended(void **state)
{
    struct fixture *f = *state;
    tap_loop_set_clock(f->loop, TAP_CLOCK_SCALED, 1000);
    use_process(f, SCRIPT("exec sleep 1000\n"));
    struct tap_error error = failing_call(f, "p");
    assert_string_equal(error.name, "ProcessTimeout");
    assert_text(error.message, "did not end within a minute");
}

#define SSO_PROFILE                                                                                \
    "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin Role\n"   \
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n"
#define SSO_LEGACY_PROFILE                                                                         \
    "[default]\nsso_account_id = 123456789012\nsso_role_name = Admin\nsso_region = eu-west-1\n"    \
    "sso_start_url = https://corp.example/start\n"
/* SHA-1 of the session's name, and of the start URL */
#define SESSION_CACHE ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
#define LEGACY_CACHE ".aws/sso/cache/f7c9b39d0b4c7a7d82c79307585f77e1c5e74378.json"

static void a_sign_in_is_exchanged_for_a_role(void **state)
{
    struct fixture *f = *state;
    profile(f, SSO_PROFILE, NULL);
    write_file(f->folder, SESSION_CACHE,
               "{\"accessToken\": \"sso-token\", \"expiresAt\": \"2026-01-01T08:00:00Z\"}");
    one_call(f, NULL);
    assert_int_equal(f->asked[SSO], 1);
    assert_string_equal(f->seen[0], "AKISSUED1");
    assert_text(f->request, "GET /federation/credentials?role_name=Admin%20Role"
                            "&account_id=123456789012\n");
    assert_text(f->request, "x-amz-sso_bearer_token: sso-token\n");
}

static void a_sign_in_of_the_older_kind_is_exchanged_for_a_role(void **state)
{
    struct fixture *f = *state;
    profile(f, SSO_LEGACY_PROFILE, NULL);
    write_file(f->folder, LEGACY_CACHE,
               "{\"accessToken\": \"sso-token\", \"expiresAt\": \"2026-01-01T08:00:00UTC\"}");
    one_call(f, NULL);
    assert_string_equal(f->seen[0], "AKISSUED1");
}

static void without_a_sign_in_the_command_is_told(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *cache;
        int status;
        const char *says;
    } rows[] = {
        {NULL, 0, "is not signed in to"},
        {"{\"accessToken\": \"sso-token\", \"expiresAt\": \"2025-12-31T23:59:59Z\"}", 0,
         "has a sign-in that has expired"},
        {"{\"accessToken\": \"sso-token\"}", 0, "has a broken token"},
        {"{\"accessToken\": \"sso-token\", \"expiresAt\": \"2026-01-02T00:00:00Z\"}", 401,
         "does not accept the sign-in any more"},
    };
    profile(f, SSO_PROFILE, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].cache)
            write_file(f->folder, SESSION_CACHE, rows[i].cache);
        f->status = rows[i].status;
        struct tap_error error = failing_call(f, NULL);
        assert_int_equal(error.code, TAP_E_CREDENTIALS);
        assert_string_equal(error.name, "LoginRequired");
        assert_text(error.message, rows[i].says);
        assert_text(error.message, "run 'aws sso login --sso-session corp'");
        assert_text(error.message, "profile 'default' of ");
        assert_null(strstr(error.message, "sso-token"));
    }
    profile(f, SSO_LEGACY_PROFILE, NULL);
    assert_text(failing_call(f, NULL).message, "run 'aws sso login --profile default'");
}

static void a_role_that_identity_center_refuses_is_told(void **state)
{
    struct fixture *f = *state;
    profile(f, SSO_PROFILE, NULL);
    write_file(f->folder, SESSION_CACHE,
               "{\"accessToken\": \"sso-token\", \"expiresAt\": \"2026-01-01T08:00:00Z\"}");
    f->status = 403;
    f->body = "{\"message\": \"No access\"}";
    struct tap_error error = failing_call(f, NULL);
    assert_text(error.message, "profile 'default' of ");
    assert_text(error.message, "account 123456789012, role Admin Role: ");
    assert_text(error.message, "No access");
}

#define RENEWABLE(expires)                                                                         \
    "{\"accessToken\": \"sso-token\", \"expiresAt\": \"" expires "\", \"refreshToken\": "          \
    "\"refresh-1\", \"clientId\": \"client\", \"clientSecret\": \"client-secret\", "               \
    "\"registrationExpiresAt\": \"2026-02-01T00:00:00Z\", \"region\": \"eu-west-1\"}"

static void a_sign_in_to_a_session_is_renewed_before_it_ends(void **state)
{
    struct fixture *f = *state;
    char path[128], text[1024] = "";
    struct stat status;
    profile(f, SSO_PROFILE, NULL);
    write_file(f->folder, SESSION_CACHE, RENEWABLE("2026-01-01T00:14:00Z"));
    one_call(f, NULL);
    assert_int_equal(f->asked[OIDC], 1);
    assert_text(f->request, "x-amz-sso_bearer_token: sso-token-2\n");
    snprintf(path, sizeof path, "%s/" SESSION_CACHE, f->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_text(text, "\"accessToken\":\"sso-token-2\"");
    assert_text(text, "\"refreshToken\":\"refresh-2\"");
    assert_text(text, "\"expiresAt\":\"2026-01-01T01:00:00Z\"");
    assert_text(text, "\"region\":\"eu-west-1\"");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_sign_in_that_cannot_be_renewed_is_used_to_its_end(void **state)
{
    struct fixture *f = *state;
    profile(f, SSO_PROFILE, NULL);
    f->no_renewal = true;
    write_file(f->folder, SESSION_CACHE, RENEWABLE("2025-12-31T23:59:00Z"));
    struct tap_error error = failing_call(f, NULL);
    assert_string_equal(error.name, "LoginRequired");
    assert_int_equal(f->asked[OIDC], 1);
    write_file(f->folder, SESSION_CACHE, RENEWABLE("2026-01-01T00:14:00Z"));
    one_call(f, NULL);
    assert_int_equal(f->asked[OIDC], 2);
    assert_text(f->request, "x-amz-sso_bearer_token: sso-token\n");
}

static void use_container(struct fixture *f, const char *path)
{
    char url[128];
    snprintf(url, sizeof url, "%s%s", f->url, path);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
}

static void a_container_asks_its_service_with_a_token_of_the_moment(void **state)
{
    struct fixture *f = *state;
    char path[128];
    use_container(f, "/container?id=7");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-variable", 1);
    one_call(f, NULL);
    assert_text(f->request, "GET /container?id=7\n");
    assert_text(f->request, "Authorization: of-variable\n");
    assert_string_equal(f->seen[0], "AKISSUED1");

    snprintf(path, sizeof path, "%s/token", f->folder);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    write_file(f->folder, "token", "of-file-1");
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    assert_text(f->request, "Authorization: of-file-1\n");
    write_file(f->folder, "token", "of-file-2\n");
    wait_for(f, HOUR_S);
    call_once(f, client);
    assert_text(f->request, "Authorization: of-file-2\n");
    assert_int_equal(f->asked[CONTAINER], 3);
    tap_client_free(client);
}

static void a_container_asks_again_when_its_service_stumbles(void **state)
{
    struct fixture *f = *state;
    use_container(f, "/container");
    f->status = 500;
    assert_text(failing_call(f, NULL).message,
                "the container's credentials service (of the environment) answered with HTTP "
                "status 500");
    assert_int_equal(f->asked[CONTAINER], 3);
    f->status = 403; /* asking again would not change it */
    assert_text(failing_call(f, NULL).message, "HTTP status 403");
    assert_int_equal(f->asked[CONTAINER], 4);
}

static void a_container_asks_no_stranger_in_clear_text(void **state)
{
    struct fixture *f = *state;
    static const char *const urls[] = {"http://example.com/",       "http://10.0.0.1/x",
                                       "http://169.254.170.22/",    "http://127.example.com/",
                                       "http://localhost.example/", "ftp://127.0.0.1/",
                                       "http://user:pw@127.0.0.1/"};
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token", 1);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i], 1);
        struct tap_error error = failing_call(f, NULL);
        assert_int_equal(error.code, TAP_E_CREDENTIALS);
        assert_text(error.message, "the container's credentials service");
    }
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f->url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "two\nlines", 1);
    assert_text(failing_call(f, NULL).message, "has a line break");
}

static void an_instance_asks_for_its_role_with_a_token(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f->url, 1);
    one_call(f, NULL);
    assert_int_equal(f->asked[TOKEN], 1);
    assert_int_equal(f->asked[ROLE], 1);
    assert_int_equal(f->asked[INSTANCE], 1);
    assert_text(f->request, "GET /latest/meta-data/iam/security-credentials/my-role\n");
    assert_text(f->request, "X-aws-ec2-metadata-token: metadata-token\n");
    assert_string_equal(f->seen[0], "AKISSUED1");
}

static void an_instance_without_an_answer_is_told(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1);
    struct tap_error error = failing_call(f, NULL);
    assert_int_equal(error.code, TAP_E_CREDENTIALS);
    assert_text(error.message, "the instance metadata service (of the environment) cannot be "
                               "reached");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f->url, 1);
    f->status = 404;
    assert_text(failing_call(f, NULL).message, "HTTP status 404");
    f->status = 0;
    f->body = "{\"Code\": \"AssumeRoleUnauthorizedAccess\"}";
    assert_text(failing_call(f, NULL).message, "without AccessKeyId");
}

static void an_instance_uses_old_credentials_while_its_service_has_no_new_ones(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f->url, 1);
    f->lifetime_s = -60;
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    call_once(f, client);
    assert_int_equal(f->asked[INSTANCE], 1);
    wait_for(f, HOUR_S / 2);
    call_once(f, client);
    assert_int_equal(f->asked[INSTANCE], 2);
    tap_client_free(client);
}

static void keys_of_a_file_need_no_request(void **state)
{
    struct fixture *f = *state;
    profile(f, "[profile base]\nregion = x\n", BASE_KEYS);
    one_call(f, "base");
    assert_string_equal(f->seen[0], "AKBASE");
    for (int i = 0; i < THING; i++)
        assert_int_equal(f->asked[i], 0);
}

/* ---- freshness ---- */

static void many_calls(struct fixture *f, struct tap_client *client, int n)
{
    for (int i = 0; i < n; i++)
        start(client);
    for (int i = 0; i < n; i++)
        assert_done(next(f));
}

static void many_calls_at_once_fetch_once(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL), *other = new_client(f, NULL);
    for (int i = 0; i < 20; i++)
        start(i % 2 ? client : other);
    for (int i = 0; i < 20; i++)
        assert_done(next(f));
    assert_int_equal(f->asked[STS], 1);
    assert_int_equal(f->asked[THING], 20);
    tap_client_free(client);
    tap_client_free(other);
}

static void they_are_renewed_before_they_end_by_one_request(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    wait_for(f, 44 * 60); /* more than 15 minutes are left */
    call_once(f, client);
    assert_int_equal(f->asked[STS], 1);
    wait_for(f, 2 * 60); /* less: one of them renews, the others go on with the old ones */
    many_calls(f, client, 20);
    assert_int_equal(f->asked[STS], 2);
    int old = 0;
    for (int i = 2; i < 22; i++)
        old += strcmp(f->seen[i], "AKISSUED1") == 0;
    assert_int_equal(old, 19);
    call_once(f, client);
    assert_string_equal(f->seen[22], "AKISSUED2");
    wait_for(f, 52 * 60); /* less than 10 minutes: nobody uses the old ones */
    many_calls(f, client, 20);
    assert_int_equal(f->asked[STS], 3);
    for (int i = 23; i < 43; i++)
        assert_string_equal(f->seen[i], "AKISSUED3");
    tap_client_free(client);
}

static void an_early_renewal_that_fails_harms_nobody(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    wait_for(f, 47 * 60);
    f->status = 403;
    f->body = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
    call_once(f, client);
    assert_string_equal(f->seen[1], "AKISSUED1");
    assert_int_equal(f->asked[STS], 2);
    call_once(f, client); /* it is not tried again at once */
    assert_int_equal(f->asked[STS], 2);
    assert_text(log_text(f), "credentials could not be renewed");
    wait_for(f, 5 * 60); /* now it matters */
    struct tap_op *call = start(client);
    assert_ptr_equal(next(f), call);
    assert_non_null(tap_op_error(call));
    assert_text(tap_op_error(call)->message, "cannot assume");
    tap_op_free(call);
    tap_client_free(client);
}

static void short_lives_are_not_renewed_at_each_call(void **state)
{
    struct fixture *f = *state;
    f->lifetime_s = 900; /* the shortest that STS gives: as long as the early window */
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    call_once(f, client);
    wait_for(f, 400);
    call_once(f, client);
    assert_int_equal(f->asked[STS], 1);
    wait_for(f, 100);
    call_once(f, client);
    assert_int_equal(f->asked[STS], 2);
    tap_client_free(client);
}

static void an_expired_token_is_renewed_once_and_the_call_sent_again(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    f->expired = 1;
    many_calls(f, client, 10);
    assert_int_equal(f->asked[STS], 2);
    assert_int_equal(f->asked[THING], 21);
    assert_string_equal(f->seen[20], "AKISSUED2");
    assert_text(log_text(f), "expired credentials");
    tap_client_free(client);
}

static void a_second_expired_token_ends_the_call(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    f->expired = 1;
    f->lifetime_s = HOUR_S;
    f->issued = 0; /* STS gives the same ones again */
    struct tap_op *call = start(client);
    assert_ptr_equal(next(f), call);
    assert_string_equal(tap_op_error(call)->name, "ExpiredToken");
    assert_int_equal(f->asked[THING], 3);
    assert_int_equal(f->asked[STS], 2);
    tap_op_free(call);
    tap_client_free(client);
}

static void keys_of_a_file_that_has_newer_ones_are_read_again(void **state)
{
    struct fixture *f = *state;
    profile(f, "", "[default]\naws_access_key_id = AKISSUED1\naws_secret_access_key = secret-1\n");
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    f->expired = 1;
    struct tap_op *call = start(client);
    assert_ptr_equal(next(f), call);
    assert_int_equal(tap_op_error(call)->code, TAP_E_CREDENTIALS);
    assert_text(tap_op_error(call)->message, "has no newer ones");
    tap_op_free(call);
    profile(f, "", "[default]\naws_access_key_id = AKNEW\naws_secret_access_key = secret-2\n");
    call_once(f, client);
    assert_string_equal(f->seen[f->asked[THING] - 1], "AKNEW");
    tap_client_free(client);
}

static void expired_keys_of_the_environment_are_not_sent_twice(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_ACCESS_KEY_ID", "AKISSUED1", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret-of-env", 1);
    f->expired = 1;
    struct tap_client *client = new_client(f, NULL);
    struct tap_op *call = start(client);
    assert_ptr_equal(next(f), call);
    assert_string_equal(tap_op_error(call)->name, "ExpiredToken");
    assert_int_equal(f->asked[THING], 1);
    tap_op_free(call);
    tap_client_free(client);
}

static void a_fetch_outlives_the_call_that_began_it(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    struct tap_op *calls[3];
    for (int i = 0; i < 3; i++)
        calls[i] = start(client);
    /* let the fetch begin, then take away whoever owns it, one after the other */
    assert_null(tap_loop_next(f->loop, 0));
    tap_op_cancel(calls[2]);
    tap_op_cancel(calls[0]);
    assert_ptr_equal(next(f), calls[1]);
    assert_done(calls[1]);
    assert_int_equal(f->asked[STS], 1);
    tap_client_free(client);
}

static void a_cancelled_fetch_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    struct tap_op *call = start(client);
    assert_null(tap_loop_next(f->loop, 0));
    tap_op_cancel(call);
    assert_int_equal(tap_loop_outstanding(f->loop), 0);
    call_once(f, client); /* and the next one begins anew */
    start(client);
    tap_client_free(client);
    assert_done(next(f));
}

/* ---- what is said ---- */

static void no_secret_reaches_the_log(void **state)
{
    struct fixture *f = *state;
    profile(f, ROLE_PROFILE, BASE_KEYS);
    struct tap_client *client = new_client(f, NULL);
    call_once(f, client);
    f->expired = 1;
    call_once(f, client);
    tap_client_free(client);
    assert_text(log_text(f), "credentials loaded");
    assert_text(log_text(f), "profile 'default'");
    static const char *const secrets[] = {"secret-of-base", "secret-issued-1", "token-issued-1",
                                          "secret-issued-2", "token-issued-2"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        assert_null(strstr(log_text(f), secrets[i]));
        char *shown = tap_redact(secrets[i]);
        assert_string_equal(shown, "****");
        tap_free(shown);
    }
}

static void a_file_that_others_may_read_is_warned_of_once(void **state)
{
    struct fixture *f = *state;
    char path[128];
    profile(f, ROLE_PROFILE, BASE_KEYS);
    snprintf(path, sizeof path, "%s/.aws/credentials", f->folder);
    chmod(path, 0644);
    one_call(f, NULL);
    one_call(f, NULL);
    const char *first = strstr(log_text(f), "can be read by other users");
    assert_non_null(first);
    assert_null(strstr(first + 1, "can be read by other users"));
    assert_text(log_text(f), "chmod 600 ");
    assert_text(log_text(f), path);
}

static void a_client_without_files_and_keys_of_its_own_reads_none(void **state)
{
    struct fixture *f = *state;
    profile(f, "this is broken", NULL);
    struct tap_credentials keys;
    tap_credentials_set(&keys, "AKGIVEN", "secret-given", NULL);
    struct tap_client_options options = {.credentials = &keys};
    struct tap_client *client;
    struct tap_error err;
    assert_int_equal(tap_client_new(&client, f->loop, "thing", &options, &err), TAP_OK);
    call_once(f, client);
    assert_string_equal(f->seen[0], "AKGIVEN");
    tap_client_free(client);
    tap_credentials_fini(&keys);
    assert_int_equal(tap_client_new(&client, f->loop, "thing", NULL, &err), TAP_E_CREDENTIALS);
    assert_int_equal(err.line, 1);
    assert_text(err.file, "/.aws/config");
}

static void an_anonymous_client_signs_nothing(void **state)
{
    struct fixture *f = *state;
    struct tap_client_options options = {.anonymous = true};
    struct tap_client *client;
    struct tap_error err;
    assert_int_equal(tap_client_new(&client, f->loop, "thing", &options, &err), TAP_OK);
    call_once(f, client);
    assert_string_equal(f->seen[0], "-");
    tap_client_free(client);
}

static void the_profile_says_what_the_environment_does_not(void **state)
{
    struct fixture *f = *state;
    char text[512];
    struct tap_client *client;
    struct tap_error err;
    unsetenv("AWS_REGION");
    unsetenv("AWS_ENDPOINT_URL");
    snprintf(text, sizeof text,
             "[default]\nregion = eu-west-3\nendpoint_url = http://127.0.0.1:1\n"
             "services = local\nmax_attempts = 2\n[services local]\nthing =\n  endpoint_url = %s\n",
             f->url);
    profile(f, text, "[default]\naws_access_key_id = AKBASE\naws_secret_access_key = s-base\n");
    client = new_client(f, NULL);
    assert_string_equal(tap_client_region(client), "eu-west-3");
    call_once(f, client);
    assert_int_equal(f->asked[THING], 1);
    tap_client_free(client);
    setenv("AWS_REGION", "eu-west-1", 1);
    client = new_client(f, NULL);
    assert_string_equal(tap_client_region(client), "eu-west-1");
    tap_client_free(client);
    profile(f, "[default]\nmax_attempts = none\n", NULL);
    assert_int_equal(tap_client_new(&client, f->loop, "thing", NULL, &err), TAP_E_USAGE);
    assert_text(err.message, "max_attempts is 'none'");
}

int main(void)
{
#define row(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        row(a_role_is_assumed_by_the_keys_of_its_source),
        row(a_session_without_a_name_gets_ours),
        row(roles_are_assumed_one_by_another),
        row(sts_may_have_an_address_of_its_own_in_the_profile),
        row(web_identity_reads_its_token_each_time),
        row(a_missing_identity_token_is_told),
        row(a_refused_role_is_told_with_profile_role_and_reason),
        row(a_program_gives_credentials),
        row(a_program_that_fails_is_told_with_what_it_said),
        row(what_a_program_prints_is_checked),
        row(a_program_that_is_not_there_is_told),
        row(a_program_that_hangs_is_ended),
        row(a_sign_in_is_exchanged_for_a_role),
        row(a_sign_in_of_the_older_kind_is_exchanged_for_a_role),
        row(a_sign_in_to_a_session_is_renewed_before_it_ends),
        row(a_sign_in_that_cannot_be_renewed_is_used_to_its_end),
        row(without_a_sign_in_the_command_is_told),
        row(a_role_that_identity_center_refuses_is_told),
        row(a_container_asks_its_service_with_a_token_of_the_moment),
        row(a_container_asks_again_when_its_service_stumbles),
        row(a_container_asks_no_stranger_in_clear_text),
        row(an_instance_asks_for_its_role_with_a_token),
        row(an_instance_without_an_answer_is_told),
        row(an_instance_uses_old_credentials_while_its_service_has_no_new_ones),
        row(keys_of_a_file_need_no_request),
        row(many_calls_at_once_fetch_once),
        row(they_are_renewed_before_they_end_by_one_request),
        row(an_early_renewal_that_fails_harms_nobody),
        row(short_lives_are_not_renewed_at_each_call),
        row(an_expired_token_is_renewed_once_and_the_call_sent_again),
        row(a_second_expired_token_ends_the_call),
        row(keys_of_a_file_that_has_newer_ones_are_read_again),
        row(expired_keys_of_the_environment_are_not_sent_twice),
        row(a_fetch_outlives_the_call_that_began_it),
        row(a_cancelled_fetch_leaves_nothing_behind),
        row(no_secret_reaches_the_log),
        row(a_file_that_others_may_read_is_warned_of_once),
        row(a_client_without_files_and_keys_of_its_own_reads_none),
        row(an_anonymous_client_signs_nothing),
        row(the_profile_says_what_the_environment_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
