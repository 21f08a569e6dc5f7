/*
 * A small S3 for tests: it keeps objects in memory, verifies every signature by its own reading of
 * the request, and answers as S3 does where a client could be misled: no body to HEAD, bare errors,
 * referrals to another region. Buckets stand in the path or before the host.
 * Include after cmocka.h.
 */
#ifndef TAP_SPEC_S3_SERVER_H
#define TAP_SPEC_S3_SERVER_H

#include <stdlib.h>
#include <string.h>

#include "core/client.h"
#include "core/credentials_provider.h"
#include "core/mem.h"
#include "core/protocol.h"
#include "core/server.h"
#include "core/sigv4.h"

#define S3_ACCESS_KEY "AKIDEXAMPLE"
#define S3_SECRET_KEY "wJalrXUtnFEMI/K7MDENG"
#define S3_REGION "eu-west-1"
#define S3_LOST "lost"    /* in place of a bucket's region: every region refers to another */
#define S3_NOW 1767225600 /* 2026-01-01T00:00:00Z */

struct s3 {
    struct tap_loop *loop;
    struct tap_server *server;
    struct tap_op *accept;
    const struct tap_model *model;
    json_t *buckets; /* name -> { key -> PutObject's input, with an ETag } */
    json_t *regions; /* name -> region, of buckets elsewhere */
    int requests, etags;
    struct tap_log *log;     /* of clients, or NULL */
    struct tap_request last; /* method, host, target and headers of the last request */
};

/* ---- the service ---- */

struct s3_refusal {
    int status;
    const char *name;
};

static const struct s3_refusal s3_done = {0, NULL};

static inline const char *s3_text(const json_t *input, const char *member)
{
    return json_string_value(json_object_get(input, member));
}

/* The keys of a bucket in the order of a listing; the caller owns the list. */
static inline json_t *s3_keys(json_t *bucket)
{
    json_t *sorted = json_loads("[]", 0, NULL), *parsed;
    char *text = json_dumps(bucket, JSON_SORT_KEYS); /* jansson sorts by bytes, as S3 does */
    parsed = json_loads(text, 0, NULL);
    const char *key;
    json_t *object;
    json_object_foreach(parsed, key, object) json_array_append_new(sorted, json_string(key));
    json_decref(parsed);
    free(text);
    return sorted;
}

static inline struct s3_refusal s3_list(json_t *output, json_t *bucket, const json_t *input)
{
    const char *prefix = s3_text(input, "Prefix"), *after = s3_text(input, "ContinuationToken");
    json_int_t most = json_integer_value(json_object_get(input, "MaxKeys")), n = 0;
    json_t *keys = s3_keys(bucket), *contents = json_array(), *key;
    const char *last = "";
    size_t i;
    json_array_foreach(keys, i, key)
    {
        const char *text = json_string_value(key);
        if ((prefix && strncmp(text, prefix, strlen(prefix)) != 0) ||
            (after && strcmp(text, after) <= 0))
            continue;
        if (most && n == most) {
            json_object_set_new(output, "NextContinuationToken", json_string(last));
            break;
        }
        last = text;
        n++;
        json_array_append_new(contents, json_pack("{s:s}", "Key", text));
    }
    json_object_set_new(output, "IsTruncated",
                        json_boolean(json_object_get(output, "NextContinuationToken")));
    json_object_set_new(output, "KeyCount", json_integer(n));
    json_object_set_new(output, "Contents", contents);
    json_decref(keys);
    return s3_done;
}

static inline struct s3_refusal s3_put(struct s3 *s3, json_t *output, json_t *bucket,
                                       const json_t *input)
{
    json_t *kept = json_object_get(bucket, s3_text(input, "Key"));
    const char *wanted = s3_text(input, "IfMatch");
    if (wanted && (!kept || strcmp(wanted, s3_text(kept, "ETag")) != 0))
        return (struct s3_refusal){412, "PreconditionFailed"};
    char *etag = tap_sprintf("\"etag-%d\"", ++s3->etags);
    json_t *object = json_copy((json_t *)input);
    json_object_set_new(object, "ETag", json_string(etag));
    json_object_set_new(output, "ETag", json_string(etag));
    json_object_set_new(bucket, s3_text(input, "Key"), object);
    tap_free(etag);
    return s3_done;
}

static inline struct s3_refusal s3_get(json_t *output, json_t *bucket, const json_t *input,
                                       bool head)
{
    static const char *const members[] = {"Body", "ContentType", "Metadata", "ETag"};
    const json_t *object = json_object_get(bucket, s3_text(input, "Key"));
    if (!object)
        return (struct s3_refusal){404, "NoSuchKey"};
    for (size_t i = head ? 1 : 0; i < sizeof members / sizeof *members; i++)
        json_object_set(output, members[i], json_object_get(object, members[i]));
    return s3_done;
}

static inline struct s3_refusal s3_act(struct s3 *s3, json_t *output, const char *operation,
                                       const json_t *input)
{
    const char *name = s3_text(input, "Bucket"), *bucket_name;
    json_t *bucket = json_object_get(s3->buckets, name ? name : ""), *each;
    if (strcmp(operation, "ListBuckets") == 0) {
        json_t *list = json_array();
        json_object_foreach(s3->buckets, bucket_name, each)
            json_array_append_new(list, json_pack("{s:s}", "Name", bucket_name));
        json_object_set_new(output, "Buckets", list);
        return s3_done;
    }
    if (strcmp(operation, "CreateBucket") == 0) {
        json_object_set_new(s3->buckets, name, json_object());
        return s3_done;
    }
    if (!bucket)
        return (struct s3_refusal){404, "NoSuchBucket"};
    if (strcmp(operation, "PutObject") == 0)
        return s3_put(s3, output, bucket, input);
    if (strcmp(operation, "GetObject") == 0 || strcmp(operation, "HeadObject") == 0)
        return s3_get(output, bucket, input, *operation == 'H');
    if (strcmp(operation, "ListObjectsV2") == 0)
        return s3_list(output, bucket, input);
    if (strcmp(operation, "DeleteObject") == 0)
        json_object_del(bucket, s3_text(input, "Key"));
    else if (strcmp(operation, "DeleteBucket") == 0) {
        if (json_object_size(bucket))
            return (struct s3_refusal){409, "BucketNotEmpty"};
        json_object_del(s3->buckets, name);
    } else if (strcmp(operation, "HeadBucket") != 0)
        return (struct s3_refusal){501, "NotImplemented"};
    return s3_done;
}

/* ---- requests and answers ---- */

/* The request as if its bucket stood in the path; the caller finishes it. */
static inline void s3_path_style(struct tap_request *out, const struct tap_request *request)
{
    const char *host = tap_headers_get(&request->headers, "Host");
    size_t label = strcspn(host, ".");
    tap_request_init(out);
    tap_set(&out->method, request->method);
    tap_set(&out->target, request->target);
    if (strstr(host, ".localhost")) {
        char *target = tap_sprintf("/%.*s%s", (int)label, host, request->target);
        tap_set(&out->target, target);
        tap_free(target);
    }
    for (size_t i = 0; i < request->headers.n; i++)
        tap_headers_add(&out->headers, request->headers.items[i].name,
                        request->headers.items[i].value);
    out->body = request->body; /* borrowed: s3_route takes it out again */
}

/* Who signed it, and whether that is right; the region that it was signed for in `region`. */
static inline tap_err s3_verify(const struct s3 *s3, char region[32],
                                const struct tap_request *request, struct tap_error *err)
{
    struct tap_sigv4_claim claim;
    if (tap_sigv4_claim(&claim, request, err))
        return err->code;
    tap_error_copy(region, 32, claim.region);
    tap_err code =
        tap_sigv4_verify(request, &claim, S3_SECRET_KEY, tap_loop_wall(s3->loop) / 1000, err);
    if (!code && (strcmp(claim.service, "s3") != 0 || strcmp(claim.access_key, S3_ACCESS_KEY) != 0))
        code = tap_fail(err, TAP_E_SERVICE, "InvalidAccessKeyId", "whose key is this?");
    if (!code && claim.form == TAP_SIGN_HEADERS &&
        !tap_headers_get(&request->headers, "x-amz-content-sha256"))
        code = tap_fail(err, TAP_E_SERVICE, "MissingSecurityHeader", "x-amz-content-sha256");
    tap_free(claim.arena);
    return code;
}

/* The answer of S3 in the wrong region; false when it is the right one. */
static inline bool s3_refer(const struct s3 *s3, struct tap_response *response, const char *asked,
                            const json_t *input, struct tap_error *err)
{
    const char *name = s3_text(input, "Bucket");
    const char *own = name ? s3_text(s3->regions, name) : NULL;
    if (!own || strcmp(own, asked) == 0)
        return false;
    if (strcmp(own, S3_LOST) == 0)
        own = strcmp(asked, "us-west-2") == 0 ? "us-east-2" : "us-west-2";
    tap_headers_set(&response->headers, "x-amz-bucket-region", own);
    tap_fail(err, TAP_E_SERVICE, "AuthorizationHeaderMalformed", "the region '%s' is wrong", asked);
    err->http_status = 400;
    return true;
}

static inline tap_err s3_route(struct s3 *s3, struct tap_response *response,
                               const struct tap_request *request, struct tap_error *err)
{
    struct tap_request plain;
    const json_t *operation;
    json_t *input = NULL, *output = json_object();
    char region[32] = "";
    tap_err code = s3_verify(s3, region, request, err);
    s3_path_style(&plain, request);
    if (!code)
        code = tap_protocol_rest_xml.read_request(&operation, &input, s3->model, &plain, err);
    if (!code && s3_refer(s3, response, region, input, err))
        code = err->code;
    if (!code) {
        struct s3_refusal refusal = s3_act(s3, output, s3_text(operation, "name"), input);
        if (refusal.name) {
            code = tap_fail(err, TAP_E_SERVICE, refusal.name, "it is so");
            err->http_status = refusal.status;
        } else {
            tap_protocol_rest_xml.write_response(response, s3->model, operation, output, "r-1");
        }
    }
    memset(&plain.body, 0, sizeof plain.body);
    tap_request_fini(&plain);
    json_decref(input);
    json_decref(output);
    return code;
}

static inline void s3_remember(struct s3 *s3, const struct tap_request *request)
{
    tap_request_fini(&s3->last);
    tap_request_init(&s3->last);
    tap_set(&s3->last.method, request->method);
    tap_set(&s3->last.target, request->target);
    for (size_t i = 0; i < request->headers.n; i++)
        tap_headers_add(&s3->last.headers, request->headers.items[i].name,
                        request->headers.items[i].value);
    s3->requests++;
}

static inline void s3_serve(struct s3 *s3, struct tap_exchange *exchange)
{
    const struct tap_request *request = tap_exchange_request(exchange);
    struct tap_response response;
    struct tap_error err;
    s3_remember(s3, request);
    tap_response_init(&response);
    if (s3_route(s3, &response, request, &err))
        tap_protocol_rest_xml.write_error(&response, s3->model, &err, "r-2");
    if (strcmp(request->method, "HEAD") == 0)
        tap_buf_reset(&response.body);
    tap_exchange_respond(exchange, &response);
}

/* Serves until `wanted` is finished; the caller frees it. */
static inline void s3_finish(struct s3 *s3, struct tap_op *wanted)
{
    s3->accept = tap_server_accept(s3->server);
    for (struct tap_op *op; (op = tap_loop_next(s3->loop, 10000)) != wanted;) {
        assert_ptr_equal(op, s3->accept); /* NULL: nothing came for ten seconds */
        s3_serve(s3, tap_accept_take(op));
        tap_op_free(op);
        s3->accept = tap_server_accept(s3->server);
    }
    tap_op_cancel(s3->accept);
}

/* ---- a test's set-up ---- */

static inline int s3_setup(void **state)
{
    static const char *const unset[] = {"AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL",
                                        "AWS_SESSION_TOKEN",  "http_proxy",  "all_proxy",
                                        "AWS_MAX_ATTEMPTS",   "ALL_PROXY",   "AWS_DATA_PATH"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_REGION", S3_REGION, 1);
    setenv("AWS_ACCESS_KEY_ID", S3_ACCESS_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3_SECRET_KEY, 1);
    struct s3 *s3 = tap_alloc(sizeof *s3);
    struct tap_error err;
    s3->loop = tap_loop_new(&err);
    assert_non_null(s3->loop);
    tap_loop_set_clock(s3->loop, TAP_CLOCK_VIRTUAL, 1);
    tap_loop_set_time(s3->loop, S3_NOW * INT64_C(1000));
    if (tap_server_listen(&s3->server, s3->loop, "127.0.0.1", 0, NULL, &err) ||
        tap_model_load(&s3->model, "s3", &err))
        fail_msg("%s", err.message);
    s3->buckets = json_pack("{s:{}}", "my-bucket");
    s3->regions = json_object();
    tap_request_init(&s3->last);
    *state = s3;
    return 0;
}

static inline int s3_teardown(void **state)
{
    struct s3 *s3 = *state;
    tap_server_close(s3->server);
    assert_int_equal(tap_loop_outstanding(s3->loop), 0);
    tap_loop_free(s3->loop);
    json_decref(s3->buckets);
    json_decref(s3->regions);
    tap_request_fini(&s3->last);
    tap_free(s3);
    tap_model_unload_all();
    tap_providers_clear();
    return 0;
}

/* A client of it; `context` is taken. */
static inline struct tap_client *s3_client(const struct s3 *s3, const char *host, json_t *context)
{
    struct tap_client *client;
    struct tap_error err;
    char *url = tap_sprintf("http://%s:%d", host, tap_server_port(s3->server));
    struct tap_client_options options = {.endpoint_url = url, .context = context, .log = s3->log};
    if (tap_client_new(&client, s3->loop, "s3", &options, &err))
        fail_msg("%s", err.message);
    json_decref(context);
    tap_free(url);
    return client;
}

#endif
