/*
 * Credentials out of JSON. See credentials_json.h.
 */
#include "credentials_json.h"

#include <stdbool.h>
#include <string.h>

#include "timestamp.h"

void tap_json_wipe(json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_string(json)) /* its buffer is jansson's, and it is freed next */
        explicit_bzero((char *)json_string_value(json), json_string_length(json));
    json_object_foreach(json, key, value)
    {
        tap_json_wipe(value); /* parsers have limited the depth */
    }
    json_array_foreach(json, i, value)
    {
        tap_json_wipe(value);
    }
}

/* A non-empty text, or NULL. */
static const char *text_of(const json_t *json, const char *member)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text && *text ? text : NULL;
}

static tap_err read_expiration(int64_t *out, const json_t *json,
                               const struct tap_credentials_members *members, const char *whose,
                               struct tap_error *err)
{
    const json_t *value = json_object_get(json, members->expiration);
    double seconds = 0;
    *out = 0;
    if (json_is_number(value))
        seconds = json_number_value(value) / members->ticks_per_second;
    else if (json_is_string(value) && !tap_time_parse(&seconds, json_string_value(value)))
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                        "%s: %s is no time such as 2026-01-01T00:00:00Z", whose,
                        members->expiration);
    if (seconds > 0 && seconds < 1e12)
        *out = (int64_t)seconds;
    return TAP_OK;
}

static tap_err check(const json_t *json, const struct tap_credentials_members *members,
                     const char *whose, struct tap_error *err)
{
    if (!json_is_object(json))
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                        "%s gave no JSON object with credentials", whose);
    enum { SESSION_TOKEN = 2, EXPIRATION };
    const char *const names[] = {members->access_key, members->secret_key, members->session_token,
                                 members->expiration};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *value = json_object_get(json, names[i]);
        bool is_time = i == EXPIRATION && json_is_number(value);
        bool is_optional = i >= SESSION_TOKEN && !strstr(members->required, names[i]);
        bool is_absent = !value || json_is_null(value) || json_string_length(value) == 0;
        if (!text_of(json, names[i]) && !is_time && !(is_optional && is_absent))
            return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                            "%s gave credentials without %s", whose, names[i]);
    }
    return TAP_OK;
}

tap_err tap_credentials_from_json(struct tap_credentials *out, json_t *json,
                                  const struct tap_credentials_members *members, const char *whose,
                                  struct tap_error *err)
{
    int64_t expires = 0;
    memset(out, 0, sizeof *out);
    tap_err code = check(json, members, whose, err);
    if (code == TAP_OK)
        code = read_expiration(&expires, json, members, whose, err);
    if (code == TAP_OK) {
        tap_credentials_set(out, text_of(json, members->access_key),
                            text_of(json, members->secret_key),
                            text_of(json, members->session_token));
        out->expires = expires;
    }
    tap_json_wipe(json);
    return code;
}
