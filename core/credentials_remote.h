/*
 * Small requests to services that give credentials (container, instance, IAM Identity Center):
 * an address, a few headers, an answer; sent again when it does not come.
 */
#ifndef TAP_CREDENTIALS_REMOTE_H
#define TAP_CREDENTIALS_REMOTE_H

#include "credentials_fetch.h"

enum tap_remote_result {
    TAP_REMOTE_ANSWER, /* *response is it; any status that asking again does not change */
    TAP_REMOTE_AGAIN,  /* it is being sent again, or a pause before that has begun: nothing to do */
    TAP_REMOTE_FAILED  /* *err says why; attempts are spent */
};

struct tap_remote {
    int attempts;
    int64_t timeout_ms;
    bool direct; /* not through a proxy: the service is beside this machine */
};

/* Makes fetch->request a request for `url` followed by `path`; what is wrong with the address is
 * returned as tap_url_split words it, NULL when nothing is. */
const char *tap_remote_request(struct tap_fetch *fetch, const char *method, const char *url,
                               const char *path);
/* Sends fetch->request for the first time. */
void tap_remote_send(struct tap_fetch *fetch, const struct tap_remote *remote);
/* To be called with whatever the source's `proceed` is called with. */
enum tap_remote_result tap_remote_proceed(struct tap_response **response, struct tap_fetch *fetch,
                                          struct tap_op *inner, const struct tap_remote *remote,
                                          struct tap_error *err);

#endif
