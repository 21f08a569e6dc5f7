/*
 * Credentials that stay fresh: one provider for all clients of a process that would find the same
 * ones (same environment, profile and files). It answers at once when it can; else one operation
 * fetches them, however many calls wait.
 *
 * Temporary credentials are renewed before they end: within the last 15 minutes by whoever asks
 * first, while others go on with the old ones, which stay good should the renewal fail; within the
 * last 10 minutes everybody waits. (botocore's windows; for lives so short that they would always
 * be inside, the last half and the last third of their life.)
 */
#ifndef TAP_CREDENTIALS_PROVIDER_H
#define TAP_CREDENTIALS_PROVIDER_H

#include <stdbool.h>

#include "credentials.h"
#include "log.h"
#include "loop.h"
#include "profile.h"

struct tap_provider;

/* The provider for `profile` (given by option; NULL: none was), these files and the environment as
 * it is now. Never fails: what is wrong with the sources is the answer of tap_provider_ask. Warns,
 * once, of files with keys that others may read; `log` may be NULL. Let go of it by
 * tap_provider_close. */
struct tap_provider *tap_provider_open(const struct tap_profiles *profiles, const char *profile,
                                       struct tap_log *log, int64_t wall_ms);
/* It stays known, with its credentials, for the next client. NULL is ignored. */
void tap_provider_close(struct tap_provider *provider);
/* Forgets all that nobody holds; their credentials are overwritten. For the process's end. */
void tap_providers_clear(void);

enum tap_provider_answer {
    TAP_PROVIDER_READY, /* tap_provider_current has them */
    TAP_PROVIDER_WAIT,  /* they must be fetched: tap_provider_wait */
    TAP_PROVIDER_NONE   /* *err says why there are none, and that waiting would not help */
};
enum tap_provider_answer tap_provider_ask(const struct tap_provider *provider, int64_t wall_ms,
                                          struct tap_error *err);
/* Borrowed until the loop runs again. Only when ready, or after a wait that succeeded. */
const struct tap_credentials *tap_provider_current(const struct tap_provider *provider);

/* Completes when there are fresh credentials, or with the reason why there are none. `log` may be
 * NULL; it must live as long as the operation. */
struct tap_op *tap_provider_wait(struct tap_loop *loop, struct tap_provider *provider,
                                 struct tap_log *log);

/* Counts the credentials that there were: what a request was signed with, for the next function. */
unsigned tap_provider_generation(const struct tap_provider *provider);
/* A service says that credentials of that generation have expired: they are fetched again, unless
 * that has been done since. */
void tap_provider_expired(struct tap_provider *provider, unsigned generation);
/* False when asking again gives the same ones for certain: the environment's. */
bool tap_provider_renews(const struct tap_provider *provider);

#endif
