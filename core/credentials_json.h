/*
 * Credentials as JSON: what programs, metadata services, STS and IAM Identity Center answer, which
 * differ in the names of the members only.
 */
#ifndef TAP_CREDENTIALS_JSON_H
#define TAP_CREDENTIALS_JSON_H

#include <jansson.h>

#include "credentials.h"

struct tap_credentials_members {
    const char *access_key, *secret_key, *session_token, *expiration;
    double ticks_per_second; /* of an expiration that is a number; a text is a time */
    const char *required;    /* members, separated by blanks, beside both keys; "" for none */
};

/* Fills `out` (what it held is not freed) and wipes `json`'s texts. `whose` begins the message:
 * "credential_process of profile 'x'". TAP_E_CREDENTIALS "InvalidCredentials" names the member that
 * is missing or wrong, never its value. */
tap_err tap_credentials_from_json(struct tap_credentials *out, json_t *json,
                                  const struct tap_credentials_members *members, const char *whose,
                                  struct tap_error *err);

/* Overwrites every text in a value that is about to be freed. NULL is ignored. */
void tap_json_wipe(json_t *json);

#endif
