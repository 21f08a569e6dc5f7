/*
 * The operation behind every source: its life, and who does what. See credentials_fetch.h.
 */
#include "credentials_fetch.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "client.h"
#include "credentials_json.h"
#include "mem.h"

static const struct tap_source_class *class_of(const struct tap_source *source)
{
    static const struct tap_source_class *const classes[] = {
        [TAP_SOURCE_KEYS] = NULL, /* there is nothing to fetch */
        [TAP_SOURCE_ROLE] = &tap_source_role,
        [TAP_SOURCE_WEB_IDENTITY] = &tap_source_role,
        [TAP_SOURCE_SSO] = &tap_source_sso,
        [TAP_SOURCE_PROCESS] = &tap_source_process,
        [TAP_SOURCE_CONTAINER] = &tap_source_container,
        [TAP_SOURCE_INSTANCE] = &tap_source_instance,
    };
    return classes[source->kind];
}

static void timer_fired(struct tap_timer *timer)
{
    struct tap_fetch *fetch =
        (struct tap_fetch *)((char *)timer - offsetof(struct tap_fetch, timer));
    if (fetch->stage < 0) {
        fetch->stage = 0;
        fetch->class->begin(fetch);
    } else {
        fetch->class->proceed(fetch, NULL);
    }
}

static void inner_done(struct tap_op *op, struct tap_op *inner)
{
    struct tap_fetch *fetch = (struct tap_fetch *)op;
    fetch->inner = NULL;
    fetch->class->proceed(fetch, inner);
    tap_op_free(inner);
}

static void fetch_stop(struct tap_op *op)
{
    struct tap_fetch *fetch = (struct tap_fetch *)op;
    if (fetch->inner)
        tap_op_cancel(fetch->inner);
    fetch->inner = NULL;
    tap_timer_clear(op->loop, &fetch->timer);
}

static void fetch_free(struct tap_op *op)
{
    struct tap_fetch *fetch = (struct tap_fetch *)op;
    tap_credentials_fini(&fetch->result);
    tap_request_fini(&fetch->request);
    tap_free_secret(fetch->token);
    tap_json_wipe(fetch->sign_in);
    json_decref(fetch->sign_in);
    tap_free(fetch);
}

static const struct tap_op_class fetch_class = {TAP_OP_CREDENTIALS, fetch_stop, fetch_free,
                                                inner_done};

struct tap_op *tap_fetch_start(struct tap_loop *loop, const struct tap_source *source,
                               const char *profile)
{
    assert(source->kind != TAP_SOURCE_KEYS);
    struct tap_fetch *fetch = tap_alloc(sizeof *fetch);
    tap_op_init(&fetch->op, loop, &fetch_class);
    fetch->class = class_of(source);
    fetch->source = source;
    fetch->profile = profile;
    tap_request_init(&fetch->request);
    /* What fails at once must not complete within this call. */
    fetch->stage = -1;
    fetch->timer.fire = timer_fired;
    tap_timer_set(loop, &fetch->timer, 0);
    return &fetch->op;
}

void tap_fetch_take(struct tap_credentials *out, struct tap_op *op)
{
    assert(op->class == &fetch_class && op->finished && !op->error);
    struct tap_fetch *fetch = (struct tap_fetch *)op;
    *out = fetch->result;
    memset(&fetch->result, 0, sizeof fetch->result);
}

tap_err tap_fetch_call(struct tap_fetch *fetch, const char *service, const char *region,
                       const char *operation, json_t *input, const struct tap_credentials *by,
                       struct tap_error *err)
{
    const struct tap_client_options options = {
        .region = region,
        .profile = tap_profile_name(fetch->profile),
        .credentials = by,
        .anonymous = !by,
    };
    struct tap_client *client;
    struct tap_op *call = NULL;
    tap_err code = tap_client_new(&client, fetch->op.loop, service, &options, err);
    if (code == TAP_OK) {
        code = tap_client_call(&call, client, operation, input, err);
        tap_client_free(client); /* the call keeps what it needs */
    }
    tap_json_wipe(input);
    json_decref(input);
    if (code == TAP_OK)
        tap_fetch_wait(fetch, call);
    return code;
}

void tap_fetch_wait(struct tap_fetch *fetch, struct tap_op *inner)
{
    fetch->inner = inner;
    tap_op_own(&fetch->op, inner);
}

void tap_fetch_succeed(struct tap_fetch *fetch, const char *source)
{
    fetch->result.source = source;
    tap_op_finish(&fetch->op, NULL);
}

void tap_fetch_fail(struct tap_fetch *fetch, const struct tap_error *error)
{
    tap_op_finish(&fetch->op, error);
}
