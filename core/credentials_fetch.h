/*
 * One fetch of credentials: a plan (credentials_chain.h) carried out as one operation of the loop,
 * composed of requests, calls of STS, or a program. For the provider, which shares what it brings,
 * and for the files credentials_*.c that own a kind of source each.
 */
#ifndef TAP_CREDENTIALS_FETCH_H
#define TAP_CREDENTIALS_FETCH_H

#include <jansson.h>

#include "credentials_chain.h"
#include "http.h"
#include "op.h"

/* Completes with credentials, or with TAP_E_CREDENTIALS, TAP_E_NETWORK or TAP_E_TIMEOUT and a
 * message that names the source. `source` (not KEYS) and `profile` (the one given by option; NULL:
 * none) are borrowed until the operation is freed. */
struct tap_op *tap_fetch_start(struct tap_loop *loop, const struct tap_source *source,
                               const char *profile);
/* Of a finished fetch without error, once; the caller owns what `out` holds. */
void tap_fetch_take(struct tap_credentials *out, struct tap_op *op);

/* ---- for the kinds of sources ---- */

struct tap_fetch {
    struct tap_op op;
    const struct tap_source_class *class;
    const struct tap_source *source;
    const char *profile;
    struct tap_credentials result;
    struct tap_op *inner;   /* what is under way: a request, a call, a program; or NULL */
    struct tap_timer timer; /* the start, the pause between attempts, a program's deadline */
    int attempt;            /* of the request under way, from 1 */
    int stage;              /* of sources that need several requests */
    struct tap_request request;
    char *token;     /* the metadata service's */
    json_t *sign_in; /* IAM Identity Center's cached token */
};

struct tap_source_class {
    void (*begin)(struct tap_fetch *fetch);
    /* An inner operation has finished; it is freed afterwards. Or, with NULL, the timer has fired.
     */
    void (*proceed)(struct tap_fetch *fetch, struct tap_op *inner);
};

extern const struct tap_source_class tap_source_role;    /* and web identity */
extern const struct tap_source_class tap_source_process; /* credential_process */
extern const struct tap_source_class tap_source_container;
extern const struct tap_source_class tap_source_instance;
extern const struct tap_source_class tap_source_sso;

/* Calls `operation` and waits for it: signed by `by`, NULL: not signed. Takes `input`, which may
 * hold secrets. */
tap_err tap_fetch_call(struct tap_fetch *fetch, const char *service, const char *region,
                       const char *operation, json_t *input, const struct tap_credentials *by,
                       struct tap_error *err);
/* Makes `inner` what is under way. */
void tap_fetch_wait(struct tap_fetch *fetch, struct tap_op *inner);
/* The fetch's end. `source`: the name of the kind, a literal ("role"). */
void tap_fetch_succeed(struct tap_fetch *fetch, const char *source);
void tap_fetch_fail(struct tap_fetch *fetch, const struct tap_error *error);

#endif
