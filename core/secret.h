/*
 * What must never be shown. Secrets are known to the process, not to one log or one client: who
 * learns a secret registers it, who writes anything for people to read passes it through here.
 */
#ifndef TAP_SECRET_H
#define TAP_SECRET_H

#include <jansson.h>

#include "api.h"

TAP_API_BEGIN

enum { TAP_SECRET_MIN = 6 }; /* bytes; shorter ones would blank out innocent text */

/* From now on `secret` is replaced in whatever is redacted, in each form that it may take: raw,
 * escaped in JSON, percent-encoded, in base64. NULL and texts below TAP_SECRET_MIN are ignored.
 * Copied; freed (and overwritten) by tap_secrets_clear. */
void tap_secret_register(const char *secret);
void tap_secrets_clear(void);

/* `text` with every registered secret, and the signature of every presigned URL, replaced by
 * "****". The caller frees it (tap_free). */
char *tap_redact(const char *text);
/* The same for every text in a value, keys included; the value itself is not changed. A new
 * reference. Parts deeper than TAP_MAX_DEPTH are
 * replaced as a whole. */
json_t *tap_redact_json(json_t *value);

TAP_API_END

#endif
