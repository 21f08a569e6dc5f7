/*
 * credential_process: a program of the user's that prints credentials. It runs without a shell; its
 * output is JSON, and what it says on standard error is told when it fails, made safe to show.
 */
#include <string.h>

#include "credentials_fetch.h"
#include "credentials_json.h"
#include "json.h"
#include "mem.h"
#include "proc.h"
#include "secret.h"
#include "text.h"
#include "words.h"

enum {
    DEADLINE_MS = 60 * 1000, /* it may ask a browser or a password manager */
    MAX_OUTPUT = 256 * 1024,
    MAX_SHOWN = 400, /* bytes of standard error in a message */
};

static const struct tap_credentials_members members = {
    .access_key = "AccessKeyId",
    .secret_key = "SecretAccessKey",
    .session_token = "SessionToken",
    .expiration = "Expiration",
    .ticks_per_second = 1,
    .required = "",
};

static void fail(struct tap_fetch *fetch, const char *name, const char *what, const char *more)
{
    struct tap_error error;
    tap_fail(&error, TAP_E_CREDENTIALS, name, "credential_process of %s %s%s",
             fetch->source->origin, what, more);
    tap_fetch_fail(fetch, &error);
}

static void begin(struct tap_fetch *fetch)
{
    struct tap_words words;
    if (!tap_words_split(&words, fetch->source->command) || !words.n) {
        tap_words_fini(&words);
        fail(fetch, "InvalidProfile", "is no command: a quote is not closed, or it is empty", "");
        return;
    }
    struct tap_proc_options options = {.argv = (const char *const *)words.items,
                                       .max_output = MAX_OUTPUT};
    tap_fetch_wait(fetch, tap_proc_start(fetch->op.loop, &options));
    tap_words_fini(&words);
    tap_timer_set(fetch->op.loop, &fetch->timer, DEADLINE_MS);
}

/* What a program complained of, in one line of printable characters, without secrets. The caller
 * frees it. */
static char *shown(const struct tap_buf *complaint)
{
    char field[MAX_SHOWN];
    char *text = tap_redact(tap_buf_text(complaint));
    size_t n = 0;
    for (const char *c = text; *c; c++) {
        bool is_gap = (unsigned char)*c <= ' ' || *c == 0x7f;
        if (!is_gap || (n && text[n - 1] != ' '))
            text[n++] = is_gap ? ' ' : *c;
    }
    text[n] = '\0';
    tap_error_copy(field, sizeof field, tap_utf8_valid(text, n) ? text : "(not UTF-8)");
    tap_free(text);
    return tap_sprintf("%s%s", *field ? ": " : "", field);
}

static void tell_failure(struct tap_fetch *fetch, const struct tap_proc_result *result)
{
    char *complaint = shown(&result->err);
    char *what = result->signal ? tap_sprintf("was ended by signal %d", result->signal)
                                : tap_sprintf("failed with exit code %d", result->exit_code);
    fail(fetch, "ProcessFailed", what, complaint);
    tap_free(what);
    tap_free(complaint);
}

static void read_output(struct tap_fetch *fetch, const struct tap_proc_result *result)
{
    struct tap_error error;
    json_t *json = NULL;
    char *whose = tap_sprintf("credential_process of %s", fetch->source->origin);
    if (tap_json_parse(&json, tap_buf_text(&result->out), result->out.len, NULL, NULL))
        fail(fetch, "InvalidCredentials", "printed no JSON", "");
    else if (json_integer_value(json_object_get(json, "Version")) != 1)
        fail(fetch, "InvalidCredentials", "printed no \"Version\": 1, the only one there is", "");
    else if (tap_credentials_from_json(&fetch->result, json, &members, whose, &error))
        tap_fetch_fail(fetch, &error);
    else
        tap_fetch_succeed(fetch, "process");
    tap_json_wipe(json);
    json_decref(json);
    tap_free(whose);
}

static void proceed(struct tap_fetch *fetch, struct tap_op *inner)
{
    if (!inner) {
        fail(fetch, "ProcessTimeout", "did not end within a minute", "");
        return;
    }
    const struct tap_error *error = tap_op_error(inner);
    if (error) {
        fail(fetch, error->name, "cannot be used: ", error->message);
        return;
    }
    const struct tap_proc_result *result = tap_proc_result(inner);
    if (result->signal || result->exit_code)
        tell_failure(fetch, result);
    else
        read_output(fetch, result);
}

const struct tap_source_class tap_source_process = {begin, proceed};
