/*
 * tap.core.client: calls of AWS services. A call waits in its task until the answer is there, all
 * its attempts included, and raises what went wrong.
 *
 *     local cfn = client.new("cloudformation", { region = "eu-west-1" })
 *     local output, meta = cfn:call("DescribeStacks", { StackName = "web" })
 *     meta.request_id, meta.attempts
 *
 * Blobs are byte strings, timestamps numbers of seconds, lists stay lists when they are empty.
 */
#include "l_client.h"

#include <limits.h>

#include "core/mem.h"
#include "core/presign.h"
#include "headers.h"
#include "l_log.h"
#include "lua_util.h"
#include "modules.h"
#include "shape.h"
#include "task.h"
#include "value.h"

static const struct tap_handle_type client_type;

/* Reads the credentials of the options at `index` as borrowed texts; false when there are none.
 * [-0, +0, e] */
static bool read_credentials(struct tap_credentials *out, lua_State *L, int index)
{
    static const char *const names[] = {"access_key", "secret_key", "session_token", NULL};
    if (lua_isnoneornil(L, index) || lua_getfield(L, index, "credentials") == LUA_TNIL)
        return false;
    int at = lua_gettop(L); /* stays on the stack: the texts are borrowed from it */
    luaL_argcheck(L, lua_istable(L, at), index, "credentials are a table");
    tap_lua_check_options(L, at, names);
    *out = (struct tap_credentials){
        /* tap_client_new copies them and does not write to them */
        .access_key = (char *)tap_lua_string_field(L, at, names[0], NULL),
        .secret_key = (char *)tap_lua_string_field(L, at, names[1], NULL),
        .session_token = (char *)tap_lua_string_field(L, at, names[2], NULL),
        .source = "given",
    };
    luaL_argcheck(L, out->access_key && out->secret_key, index,
                  "credentials have an access_key and a secret_key");
    return true;
}

/* The service's own settings; NULL: none. The caller owns them. [-0, +0, e] */
static json_t *read_context(lua_State *L, int index)
{
    json_t *context = NULL;
    struct tap_error err;
    if (lua_isnoneornil(L, index))
        return NULL;
    int kind = lua_getfield(L, index, "context");
    luaL_argcheck(L, kind == LUA_TNIL || kind == LUA_TTABLE, index, "context is a table");
    if (kind == LUA_TTABLE &&
        tap_value_read(&context, L, lua_gettop(L), (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
    lua_pop(L, 1);
    return context;
}

/* new(service[, options]) -> client. Options; what is absent comes from the environment, then from
 * the profile:
 *
 *   profile          of ~/.aws/config and ~/.aws/credentials; AWS_PROFILE, else "default". Given
 *                    here, it wins over keys in the environment
 *   region           AWS_REGION, AWS_DEFAULT_REGION, the profile's
 *   endpoint_url     AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, the profile's, else the service's
 *   context          the service's own settings for its endpoints: { ForcePathStyle = true } of s3
 *   credentials      { access_key =, secret_key =, session_token = }; else those of the chain. For
 *                    the sandbox and for tests: the keys of an account are never written into a
 *                    script
 *   retry_mode       "standard" or "adaptive", which also limits how fast is sent; AWS_RETRY_MODE,
 *                    the profile's, else standard
 *   max_attempts     AWS_MAX_ATTEMPTS, the profile's, else 3
 *   connect_timeout, read_timeout, total_timeout    of each attempt; seconds
 *   call_timeout     of a call with all its attempts and pauses; seconds; else without a limit
 *   random_seed      makes the pauses between attempts repeat exactly; 0: they do not
 *   max_response     bytes of an answer's body, which is held in memory; else 64 MiB
 *   ca_bundle        PEM file; AWS_CA_BUNDLE, the profile's, else the system's
 */
static tap_nresults l_new(lua_State *L)
{
    static const char *const names[] = {
        "profile",      "region",          "endpoint_url", "credentials",   "retry_mode",
        "max_attempts", "connect_timeout", "read_timeout", "total_timeout", "call_timeout",
        "random_seed",  "ca_bundle",       "context",      "max_response",  NULL};
    const char *service = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    tap_lua_check_options(L, 2, names);
    lua_Integer max_attempts = tap_lua_integer_field(L, 2, "max_attempts", 0);
    luaL_argcheck(L, max_attempts >= 0 && max_attempts <= INT_MAX, 2, "max_attempts out of range");
    lua_Integer max_response = tap_lua_integer_field(L, 2, "max_response", 0);
    luaL_argcheck(L, max_response >= 0 && max_response <= TAP_MAX_BODY, 2,
                  "max_response out of range");
    struct tap_credentials credentials;
    struct tap_client_options options = {
        .profile = tap_lua_string_field(L, 2, "profile", NULL),
        .region = tap_lua_string_field(L, 2, "region", NULL),
        .endpoint_url = tap_lua_string_field(L, 2, "endpoint_url", NULL),
        .credentials = read_credentials(&credentials, L, 2) ? &credentials : NULL,
        .retry_mode = tap_lua_string_field(L, 2, "retry_mode", NULL),
        .max_attempts = (int)max_attempts,
        .call_timeout_ms = tap_lua_seconds_field(L, 2, "call_timeout"),
        .random_seed = (uint64_t)tap_lua_integer_field(L, 2, "random_seed", 0),
        .http.connect_timeout_ms = tap_lua_seconds_field(L, 2, "connect_timeout"),
        .http.first_byte_timeout_ms = tap_lua_seconds_field(L, 2, "read_timeout"),
        .http.total_timeout_ms = tap_lua_seconds_field(L, 2, "total_timeout"),
        .http.max_response = (size_t)max_response,
        .http.ca_bundle = tap_lua_string_field(L, 2, "ca_bundle", NULL),
        .log = tap_lua_log(L),
    };
    struct tap_loop *loop = tap_task_loop(L);
    struct tap_client *client;
    struct tap_error err;
    void **slot = tap_handle_new(L, &client_type, 0);
    json_t *context = read_context(L, 2);
    options.context = context;
    tap_err failed = tap_client_new(&client, loop, service, &options, &err);
    json_decref(context);
    if (failed)
        tap_lua_raise(L, &err);
    *slot = client;
    return 1;
}

struct tap_client *tap_lua_client(lua_State *L, int index)
{
    return tap_handle_check(L, index, &client_type);
}

static struct tap_client *check_client(lua_State *L)
{
    return tap_lua_client(L, 1);
}

_Noreturn void tap_lua_raise_of_call(lua_State *L, struct tap_error *err,
                                     const struct tap_model *model, const json_t *operation)
{
    const char *name = json_string_value(json_object_get(operation, "name"));
    if (!err->service[0])
        tap_error_copy(err->service, sizeof err->service, tap_model_service(model));
    if (!err->operation[0])
        tap_error_copy(err->operation, sizeof err->operation, name);
    tap_lua_raise(L, err);
}

static void push_details(lua_State *L, const struct tap_op *op)
{
    lua_createtable(L, 0, 3);
    lua_pushstring(L, tap_call_request_id(op));
    lua_setfield(L, -2, "request_id");
    lua_pushinteger(L, tap_call_attempts(op));
    lua_setfield(L, -2, "attempts");
    lua_pushinteger(L, tap_call_answer(op));
    lua_setfield(L, -2, "answer");
}

tap_nresults tap_lua_push_call(lua_State *L, struct tap_op *op, const struct tap_model *model,
                               const json_t *operation)
{
    struct tap_shape shape = tap_shape_if_blobs(L, tap_shape_of(model, operation, "output"));
    struct tap_error err;
    if (tap_value_push(L, tap_call_output(op), TAP_KEYS_FORGET, shape, &err))
        tap_lua_raise_of_call(L, &err, model, operation);
    push_details(L, op);
    return 2;
}

enum { /* what begin leaves on its stack for results: the first two live as long as the process */
       MODEL = 5,
       OPERATION,
       HOW,
};

static tap_nresults call_results(lua_State *L, struct tap_op *op)
{
    if (tap_call_answer(op) != lua_tointeger(L, HOW))
        return tap_lua_push_call(L, op, lua_touserdata(L, MODEL), lua_touserdata(L, OPERATION));
    lua_pushnil(L);
    push_details(L, op);
    return 2;
}

/* How a call starts, as far as its arguments say; the number is of each kind its own. */
struct how {
    lua_Integer number;
    struct tap_streams streams;
};

typedef tap_err start_call(struct tap_op **out, struct tap_client *client, const char *operation,
                           const json_t *input, struct how how, struct tap_error *err);

/* Starts what `start` starts with the operation (2) and input (3) of the arguments, and waits. */
static tap_nresults begin(lua_State *L, start_call *start, struct how how, tap_task_result *result)
{
    struct tap_client *client = check_client(L);
    const char *name = luaL_checkstring(L, 2);
    const struct tap_model *model = tap_client_model(client);
    const json_t *operation;
    json_t *input = NULL;
    struct tap_op *op;
    struct tap_error err;
    lua_settop(L, 4); /* what `how` borrows stands there */
    if (!lua_isnil(L, 3))
        luaL_checktype(L, 3, LUA_TTABLE);
    tap_task_check(L);
    if (tap_model_operation(&operation, model, name, &err))
        tap_lua_raise(L, &err);
    struct tap_shape shape = tap_shape_of(model, operation, "input");
    lua_pushlightuserdata(L, (void *)model);
    lua_pushlightuserdata(L, (void *)operation);
    lua_pushinteger(L, how.number);
    tap_err failed = lua_isnil(L, 3) ? TAP_OK : tap_value_read(&input, L, 3, shape, &err);
    if (!failed)
        failed = start(&op, client, name, input, how, &err);
    json_decref(input);
    if (failed)
        tap_lua_raise_of_call(L, &err, model, operation);
    return tap_task_wait(L, op, result);
}

static tap_err start_calling(struct tap_op **out, struct tap_client *client, const char *operation,
                             const json_t *input, struct how how, struct tap_error *err)
{
    return tap_client_call_files(out, client, operation, input, &how.streams, err);
}

/* c:call(operation[, input[, options]]) -> output, { request_id =, attempts =, answer = }. Waits.
 * The operation's name in any spelling. Options:
 *
 *   from, offset, size   the request's body is this file, or that part of it (client.h)
 *   to                   the answer's body becomes this file, and is not in the output
 *   unless               `answer` numbers what the client has read: an answer that says what the
 *                        one before said has its number; one that has this number is nil
 *
 * Raises: wrong input before anything is sent; the service's error with its code, status and
 * request id; network, timeout, credentials and file errors. */
static tap_nresults l_call(lua_State *L)
{
    static const char *const options[] = {"from", "offset", "size", "to", "unless", NULL};
    tap_lua_check_options(L, 4, options);
    struct how how = {
        .number = tap_lua_integer_field(L, 4, "unless", 0),
        .streams.from = tap_lua_string_field(L, 4, "from", NULL),
        .streams.offset = tap_lua_integer_field(L, 4, "offset", 0),
        .streams.size = tap_lua_integer_field(L, 4, "size", 0),
        .streams.to = tap_lua_string_field(L, 4, "to", NULL),
    };
    return begin(L, start_calling, how, call_results);
}

static tap_nresults prepare_results(lua_State *L, struct tap_op *op)
{
    const struct tap_request *request = tap_call_request(op);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, request->method);
    lua_setfield(L, -2, "method");
    lua_pushfstring(L, "%s://%s%s", request->scheme, request->host, request->target);
    lua_setfield(L, -2, "url");
    tap_headers_push(L, &request->headers);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, tap_buf_text(&request->body), request->body.len);
    lua_setfield(L, -2, "body");
    return 1;
}

static tap_err start_preparing(struct tap_op **out, struct tap_client *client,
                               const char *operation, const json_t *input, struct how how,
                               struct tap_error *err)
{
    (void)how;
    return tap_client_prepare(out, client, operation, input, err);
}

/* c:prepare(operation[, input]) -> { method =, url =, headers =, body = }: the request that c:call
 * would send first, signed; nothing is sent. Waits, for credentials. Its headers may carry a
 * session token: not to be shown. */
static tap_nresults l_prepare(lua_State *L)
{
    return begin(L, start_preparing, (struct how){0}, prepare_results);
}

static tap_err start_presigning(struct tap_op **out, struct tap_client *client,
                                const char *operation, const json_t *input, struct how how,
                                struct tap_error *err)
{
    return tap_client_presign(out, client, operation, input, how.number, err);
}

static tap_nresults presign_results(lua_State *L, struct tap_op *op)
{
    lua_pushstring(L, tap_presign_url(op));
    lua_createtable(L, 0, 2);
    lua_pushstring(L, tap_presign_method(op));
    lua_setfield(L, -2, "method");
    tap_headers_push(L, tap_presign_headers(op));
    lua_setfield(L, -2, "headers");
    return 2;
}

/* c:presign(operation, input, seconds) -> url, { method =, headers = }: a request that somebody
 * else sends before the seconds (1 to 604800) are over, with these headers. Waits, for credentials;
 * sends nothing. The signature is masked in logs and errors from here on. */
static tap_nresults l_presign(lua_State *L)
{
    struct how how = {.number = luaL_checkinteger(L, 4)};
    return begin(L, start_presigning, how, presign_results);
}

/* c:operations() -> sorted list of names. */
static tap_nresults l_operations(lua_State *L)
{
    size_t n;
    const char *const *names = tap_model_operations(tap_client_model(check_client(L)), &n);
    tap_list_push_texts(L, names, n);
    return 1;
}

/* c:operation(name) -> { name =, http =, input =, output =, errors = } as in the model, by any
 * spelling of the name. Raises, with the nearest name, when there is no such operation. */
static tap_nresults l_operation(lua_State *L)
{
    const json_t *operation;
    struct tap_error err;
    if (tap_model_operation(&operation, tap_client_model(check_client(L)), luaL_checkstring(L, 2),
                            &err) ||
        tap_value_push(L, operation, TAP_KEYS_REMEMBER, (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
    return 1;
}

/* c:service() -> its name, as given to new. */
static tap_nresults l_service(lua_State *L)
{
    lua_pushstring(L, tap_model_service(tap_client_model(check_client(L))));
    return 1;
}

/* c:region() -> the region, "" when there is none. */
static tap_nresults l_region(lua_State *L)
{
    lua_pushstring(L, tap_client_region(check_client(L)));
    return 1;
}

/* usual_region([profile]) -> the region of clients that are not given one; nil when none is set.
 * Raises for a profile that there is not. */
static tap_nresults l_usual_region(lua_State *L)
{
    char *region;
    struct tap_error err;
    if (tap_client_usual_region(&region, luaL_optstring(L, 1, NULL), &err))
        tap_lua_raise(L, &err);
    lua_pushstring(L, region); /* NULL pushes nil; only running out of memory raises */
    tap_free(region);
    return 1;
}

static void close_client(void *client)
{
    tap_client_free(client);
}

static const luaL_Reg methods[] = {
    {"call", l_call},           {"prepare", l_prepare},
    {"presign", l_presign},     {"operations", l_operations},
    {"operation", l_operation}, {"service", l_service},
    {"region", l_region},       {NULL, NULL},
};
static const struct tap_handle_type client_type = {"tap.client", close_client, methods};

int luaopen_tap_core_client(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"new", l_new}, {"usual_region", l_usual_region}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
