/*
 * Whom a client trusts: certificates that are self-signed, of another host, out of date, and the
 * bundles that make them trusted. A server with a certificate made for the test runs in a thread of
 * libmicrohttpd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/client.h"
#include "core/credentials_provider.h"
#include "core/mem.h"

#define STACKS                                                                                     \
    "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult>"               \
    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeStacksResponse>"

/* What a certificate says. */
struct claims {
    const char *host;  /* "IP:127.0.0.1" */
    long from_s, to_s; /* valid: seconds from now */
};

static const struct claims ours = {"IP:127.0.0.1", -3600, 3600};
static const struct claims of_another = {"DNS:sts.example.com", -3600, 3600};
static const struct claims past = {"IP:127.0.0.1", -7200, -3600};

struct fixture {
    struct claims claims;
    char *key, *certificate; /* PEM */
    char bundle[64];         /* a file with the certificate */
    struct MHD_Daemon *server;
    struct tap_loop *loop;
    struct tap_client_options options;
    char url[64];
    atomic_int served; /* requests */
};

/* ---- the certificate ---- */

static char *text_of(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *text = tap_strndup(bytes, (size_t)n);
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Self-signed: it is its own authority. */
static void make_certificate(struct fixture *f)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    assert_true(key && x509);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), f->claims.from_s);
    X509_gmtime_adj(X509_getm_notAfter(x509), f->claims.to_s);
    X509_set_pubkey(x509, key);
    X509_NAME *name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"a test", -1, -1,
                               0);
    X509_set_issuer_name(x509, name);
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x509, NID_subject_alt_name, f->claims.host);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    f->key = text_of(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x509);
    f->certificate = text_of(bio);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void write_bundle(struct fixture *f)
{
    snprintf(f->bundle, sizeof f->bundle, "/tmp/tap-bundle-XXXXXX");
    FILE *file = fdopen(mkstemp(f->bundle), "w");
    assert_non_null(file);
    fputs(f->certificate, file);
    fclose(file);
}

/* ---- the server ---- */

/* libmicrohttpd calls with the headers, then with the body in parts, then without. */
static enum MHD_Result serve(void *user, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *body,
                             size_t *body_len, void **seen)
{
    struct fixture *f = user;
    (void)url, (void)method, (void)version, (void)body;
    if (!*seen || *body_len) {
        *seen = f;
        *body_len = 0;
        return MHD_YES;
    }
    f->served++;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof STACKS - 1, (void *)STACKS, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static void start_server(struct fixture *f)
{
    f->server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
                                 serve, f, MHD_OPTION_HTTPS_MEM_KEY, f->key,
                                 MHD_OPTION_HTTPS_MEM_CERT, f->certificate, MHD_OPTION_END);
    assert_non_null(f->server);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(f->server, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(f->url, sizeof f->url, "https://127.0.0.1:%d", info->port);
}

/* ---- each test has its server and its client ---- */

static void set_environment(void)
{
    static const char *const unset[] = {"AWS_PROFILE",      "AWS_MAX_ATTEMPTS",  "AWS_RETRY_MODE",
                                        "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE",
                                        "HTTPS_PROXY",      "https_proxy",       "ALL_PROXY",
                                        "all_proxy",        "AWS_DATA_PATH"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG", 1);
}

/* The initial state is what the certificate claims. */
static int setup(void **state)
{
    struct fixture *f = tap_alloc(sizeof *f);
    struct tap_error err;
    f->claims = *(const struct claims *)*state;
    set_environment();
    make_certificate(f);
    write_bundle(f);
    start_server(f);
    f->loop = tap_loop_new(&err);
    assert_non_null(f->loop);
    tap_loop_set_clock(f->loop, TAP_CLOCK_VIRTUAL, 1);
    f->options = (struct tap_client_options){.region = "us-east-1", .endpoint_url = f->url};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tap_loop_free(f->loop);
    MHD_stop_daemon(f->server);
    unlink(f->bundle);
    tap_free(f->key);
    tap_free(f->certificate);
    tap_free(f);
    tap_model_unload_all();
    tap_providers_clear();
    tap_secrets_clear();
    return 0;
}

static struct tap_op *describe_stacks(struct fixture *f)
{
    struct tap_client *client;
    struct tap_op *call = NULL;
    struct tap_error err;
    if (tap_client_new(&client, f->loop, "cloudformation", &f->options, &err) ||
        tap_client_call(&call, client, "DescribeStacks", NULL, &err))
        fail_msg("%s", err.message);
    tap_client_free(client);
    assert_ptr_equal(tap_loop_next(f->loop, 20000), call);
    return call;
}

static void check_served(struct fixture *f)
{
    struct tap_op *call = describe_stacks(f);
    if (tap_op_error(call))
        fail_msg("%s", tap_op_error(call)->message);
    assert_int_equal(tap_call_attempts(call), 1);
    tap_op_free(call);
}

/* One attempt, one error, and the request with its signature was not sent. */
static void check_refused(struct fixture *f)
{
    struct tap_op *call = describe_stacks(f);
    const struct tap_error *error = tap_op_error(call);
    assert_non_null(error);
    assert_int_equal(error->code, TAP_E_NETWORK);
    assert_string_equal(error->name, "CertificateError");
    assert_non_null(strstr(error->message, f->url));
    assert_false(error->retryable);
    assert_int_equal(tap_call_attempts(call), 1);
    assert_int_equal(f->served, 0);
    tap_op_free(call);
}

static void a_self_signed_certificate_is_refused(void **state)
{
    check_refused(*state);
}

static void the_bundle_of_the_environment_makes_it_trusted(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_CA_BUNDLE", f->bundle, 1);
    check_served(f);
}

static void the_bundle_of_the_options_makes_it_trusted(void **state)
{
    struct fixture *f = *state;
    f->options.http.ca_bundle = f->bundle;
    check_served(f);
}

static void a_trusted_certificate_of_another_host_is_refused(void **state)
{
    struct fixture *f = *state;
    f->options.http.ca_bundle = f->bundle;
    check_refused(f);
}

static void a_trusted_certificate_that_has_ended_is_refused(void **state)
{
    struct fixture *f = *state;
    f->options.http.ca_bundle = f->bundle;
    check_refused(f);
}

static void a_bundle_that_cannot_be_read_trusts_nobody(void **state)
{
    struct fixture *f = *state;
    f->options.http.ca_bundle = "/nowhere/bundle.pem";
    check_refused(f);
}

#define test(name, claims)                                                                         \
    cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, (void *)&(claims))

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_self_signed_certificate_is_refused, ours),
        test(the_bundle_of_the_environment_makes_it_trusted, ours),
        test(the_bundle_of_the_options_makes_it_trusted, ours),
        test(a_trusted_certificate_of_another_host_is_refused, of_another),
        test(a_trusted_certificate_that_has_ended_is_refused, past),
        test(a_bundle_that_cannot_be_read_trusts_nobody, ours),
    };
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        puts("libmicrohttpd is without TLS here: nothing is tested");
        return 0;
    }
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
