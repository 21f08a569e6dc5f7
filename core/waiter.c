/*
 * Waiters: the model's acceptors are tried in their order, and the first that matches decides. An
 * expression that does not fit an output (length() of a member that is not there) has not matched:
 * the thing waited for may only begin to exist.
 */
#include "waiter.h"

#include <string.h>

#include "jmespath.h"
#include "json.h"
#include "mem.h"
#include "text.h"

enum {
    FIRST_SLEEP_MS = 2000,
    FIRST_SLEEP_SHARE = 5, /* of the model's delay, when that is less */
    MAX_SEEN = 500,        /* bytes of what was seen, in a message */
};

struct acceptor {
    const json_t *described; /* the model's */
    bool (*matches)(const struct acceptor *acceptor, const json_t *found,
                    const struct tap_error *error);
    struct tap_jmespath *query; /* NULL: it does not look into the output */
};

struct tap_waiter {
    const char *name, *operation; /* the model's */
    struct acceptor *acceptors;
    size_t n;
    int64_t deadline_ms, timeout_ms; /* when, and how long that is from the beginning */
    int64_t sleep_ms, delay_ms;      /* the next pause, and the longest */
    json_t *seen;
};

/* ---- matchers: `found` is what the acceptor's expression found, NULL after an error ---- */

static const json_t *expected_by(const struct acceptor *acceptor)
{
    return json_object_get(acceptor->described, "expected");
}

/* As JSON has it, but 1 and 1.0 are one number. */
static bool same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

static bool matches_path(const struct acceptor *acceptor, const json_t *found,
                         const struct tap_error *error)
{
    (void)error;
    return found && same(found, expected_by(acceptor));
}

/* The number of elements that are what is expected. */
static size_t count_same(const struct acceptor *acceptor, const json_t *list)
{
    size_t n = 0, i;
    json_t *element;
    json_array_foreach(list, i, element) n += same(element, expected_by(acceptor));
    return n;
}

/* Of nothing at all, nothing is said. */
static bool matches_path_all(const struct acceptor *acceptor, const json_t *found,
                             const struct tap_error *error)
{
    (void)error;
    return json_array_size(found) > 0 && count_same(acceptor, found) == json_array_size(found);
}

static bool matches_path_any(const struct acceptor *acceptor, const json_t *found,
                             const struct tap_error *error)
{
    (void)error;
    return count_same(acceptor, found) > 0;
}

/* An answer that has an output is a 200 here, whichever 2xx it was. */
static bool matches_status(const struct acceptor *acceptor, const json_t *found,
                           const struct tap_error *error)
{
    (void)found;
    return json_integer_value(expected_by(acceptor)) == (error ? error->http_status : 200);
}

/* A code, or whether there is any; what never reached the service is no answer of it. */
static bool matches_error(const struct acceptor *acceptor, const json_t *found,
                          const struct tap_error *error)
{
    (void)found;
    const json_t *expected = expected_by(acceptor);
    bool answered = error && error->code == TAP_E_SERVICE;
    if (json_is_string(expected))
        return answered && strcmp(json_string_value(expected), error->name) == 0;
    return json_is_true(expected) ? answered : !error;
}

static const struct {
    const char *name;
    bool (*matches)(const struct acceptor *acceptor, const json_t *found,
                    const struct tap_error *error);
} matchers[] = {
    {"path", matches_path},     {"pathAll", matches_path_all}, {"pathAny", matches_path_any},
    {"status", matches_status}, {"error", matches_error},
};

/* ---- from the model ---- */

static tap_err read_acceptor(struct acceptor *out, const json_t *described, const char *waiter,
                             struct tap_error *err)
{
    const char *matcher = json_string_value(json_object_get(described, "matcher"));
    const char *argument = json_string_value(json_object_get(described, "argument"));
    out->described = described;
    for (size_t i = 0; matcher && i < sizeof matchers / sizeof *matchers; i++)
        if (strcmp(matchers[i].name, matcher) == 0)
            out->matches = matchers[i].matches;
    if (!out->matches)
        return tap_fail(err, TAP_E_UNSUPPORTED, "UnknownMatcher",
                        "waiter %s: its matcher '%s' is not known here", waiter,
                        matcher ? matcher : "");
    return argument ? tap_jmespath_compile(&out->query, argument, err) : TAP_OK;
}

static tap_err read_model(struct tap_waiter *waiter, const json_t *described, struct tap_error *err)
{
    const json_t *acceptors = json_object_get(described, "acceptors");
    waiter->operation = json_string_value(json_object_get(described, "operation"));
    if (!waiter->operation || !json_is_array(acceptors))
        return tap_fail(err, TAP_E_PARSE, "BadModel",
                        "waiter %s: the model's description is "
                        "incomplete",
                        waiter->name);
    waiter->acceptors = tap_calloc(json_array_size(acceptors), sizeof *waiter->acceptors);
    size_t i;
    json_t *acceptor;
    json_array_foreach(acceptors, i, acceptor)
    {
        waiter->n++;
        if (read_acceptor(&waiter->acceptors[i], acceptor, waiter->name, err))
            return err->code;
    }
    return TAP_OK;
}

static int64_t positive(const json_t *number, int64_t fallback)
{
    double value = json_number_value(number);
    return value > 0 ? (int64_t)value : fallback;
}

static void read_times(struct tap_waiter *waiter, const json_t *described, int64_t now_ms,
                       int64_t timeout_ms)
{
    int64_t delay_ms = positive(json_object_get(described, "delay"), 30) * 1000;
    int64_t attempts = positive(json_object_get(described, "maxAttempts"), 40);
    waiter->delay_ms = delay_ms;
    waiter->sleep_ms = delay_ms / FIRST_SLEEP_SHARE;
    if (waiter->sleep_ms > FIRST_SLEEP_MS)
        waiter->sleep_ms = FIRST_SLEEP_MS;
    waiter->timeout_ms = timeout_ms ? timeout_ms : delay_ms * attempts;
    waiter->deadline_ms = now_ms + waiter->timeout_ms;
}

static tap_err refuse_name(const struct tap_model *model, const json_t *waiters, const char *name,
                           struct tap_error *err)
{
    size_t n = 0;
    const char **names = tap_calloc(json_object_size(waiters), sizeof *names), *known;
    json_t *described;
    json_object_foreach((json_t *)waiters, known, described) names[n++] = known;
    const char *nearest = tap_nearest(name, names, n);
    tap_free(names);
    return tap_fail(err, TAP_E_USAGE, "UnknownWaiter", "%s has no waiter '%s'%s%s%s",
                    tap_model_service(model), name, nearest ? ", did you mean '" : "",
                    nearest ? nearest : "", nearest ? "'?" : "");
}

tap_err tap_waiter_new(struct tap_waiter **out, const struct tap_model *model, const char *name,
                       int64_t now_ms, int64_t timeout_ms, struct tap_error *err)
{
    struct tap_error ignored;
    if (!err)
        err = &ignored;
    *out = NULL;
    const json_t *waiters = tap_model_part(model, "waiters");
    const char *known;
    json_t *described;
    json_object_foreach((json_t *)waiters, known, described)
    {
        if (!tap_same_name(known, name))
            continue;
        struct tap_waiter *waiter = tap_alloc(sizeof *waiter);
        waiter->name = known;
        waiter->seen = json_object();
        read_times(waiter, described, now_ms, timeout_ms);
        if (read_model(waiter, described, err))
            tap_waiter_free(waiter);
        else
            *out = waiter;
        return *out ? TAP_OK : err->code;
    }
    return refuse_name(model, waiters, name, err);
}

void tap_waiter_free(struct tap_waiter *waiter)
{
    if (!waiter)
        return;
    for (size_t i = 0; i < waiter->n; i++)
        tap_jmespath_free(waiter->acceptors[i].query);
    tap_free(waiter->acceptors);
    json_decref(waiter->seen);
    tap_free(waiter);
}

const char *tap_waiter_name(const struct tap_waiter *waiter)
{
    return waiter->name;
}

const char *tap_waiter_operation(const struct tap_waiter *waiter)
{
    return waiter->operation;
}

const json_t *tap_waiter_seen(const struct tap_waiter *waiter)
{
    return waiter->seen;
}

/* ---- answers ---- */

/* What the acceptor's expression finds; NULL when it has none, or finds nothing that it is made
 * for. A new reference. */
static json_t *look(const struct acceptor *acceptor, const json_t *output)
{
    json_t *found;
    struct tap_error ignored;
    if (!acceptor->query || !output ||
        tap_jmespath_search(&found, acceptor->query, output, &ignored))
        return NULL;
    return found;
}

/* The first acceptor that matches, or NULL. Most acceptors of a waiter look at the same thing: it
 * is searched for once, and `seen` keeps it. */
static const struct acceptor *decide(struct tap_waiter *waiter, const json_t *output,
                                     const struct tap_error *error)
{
    json_object_clear(waiter->seen);
    if (error)
        json_object_set_new(waiter->seen, "error", json_string(error->name));
    for (size_t i = 0; i < waiter->n; i++) {
        const struct acceptor *acceptor = &waiter->acceptors[i];
        const char *argument = json_string_value(json_object_get(acceptor->described, "argument"));
        json_t *found = argument ? json_object_get(waiter->seen, argument) : NULL;
        if (!found && (found = look(acceptor, output)))
            json_object_set_new(waiter->seen, argument, found);
        if (acceptor->matches(acceptor, found, error))
            return acceptor;
    }
    return NULL;
}

/* "Stacks[].StackStatus is ["ROLLBACK_COMPLETE"]"; the caller frees it. */
static char *describe_seen(const struct tap_waiter *waiter, const struct acceptor *decisive,
                           const struct tap_error *error)
{
    if (error)
        return tap_sprintf("%s answers %s: %s", waiter->operation, error->name, error->message);
    const char *argument =
        decisive ? json_string_value(json_object_get(decisive->described, "argument")) : NULL;
    if (!argument && json_object_size(waiter->seen) == 1)
        argument = json_object_iter_key(json_object_iter(waiter->seen));
    char *text = tap_json_print(argument ? json_object_get(waiter->seen, argument) : waiter->seen);
    char shown[MAX_SEEN];
    tap_error_copy(shown, sizeof shown, text);
    tap_free(text);
    return tap_sprintf("%s is %s", argument ? argument : "what it saw", shown);
}

static tap_err say(struct tap_error *err, tap_err code, const char *name, const char *what,
                   const struct tap_waiter *waiter, const struct acceptor *decisive,
                   const struct tap_error *error)
{
    char *seen = describe_seen(waiter, decisive, error);
    tap_fail(err, code, name, "%s %s: %s", waiter->name, what, seen);
    tap_free(seen);
    return code;
}

static struct tap_waiter_answer again(struct tap_waiter *waiter, const struct tap_error *error,
                                      int64_t now_ms, struct tap_error *err)
{
    int64_t left_ms = waiter->deadline_ms - now_ms, sleep_ms = waiter->sleep_ms;
    if (left_ms <= 0) {
        char *what = tap_sprintf("has not come about in %g s", (double)waiter->timeout_ms / 1000);
        say(err, TAP_E_TIMEOUT, "WaiterTimeout", what, waiter, NULL, error);
        tap_free(what);
        return (struct tap_waiter_answer){.state = TAP_WAITER_TIMEOUT};
    }
    waiter->sleep_ms += waiter->sleep_ms / 2;
    if (waiter->sleep_ms > waiter->delay_ms)
        waiter->sleep_ms = waiter->delay_ms;
    return (struct tap_waiter_answer){
        .state = TAP_WAITER_AGAIN,
        .sleep_ms = sleep_ms < left_ms ? sleep_ms : left_ms,
    };
}

struct tap_waiter_answer tap_waiter_feed(struct tap_waiter *waiter, const json_t *output,
                                         const struct tap_error *error, int64_t now_ms,
                                         struct tap_error *err)
{
    const struct acceptor *decisive = decide(waiter, output, error);
    const json_t *acceptor = decisive ? decisive->described : NULL;
    const char *state = json_string_value(json_object_get(acceptor, "state"));
    struct tap_waiter_answer answer;
    if (state && strcmp(state, "success") == 0) {
        answer = (struct tap_waiter_answer){.state = TAP_WAITER_SUCCESS};
    } else if (state && strcmp(state, "failure") == 0) {
        say(err, TAP_E_FAILED, "WaiterFailed", "will not come about", waiter, decisive, error);
        answer = (struct tap_waiter_answer){.state = TAP_WAITER_FAILURE};
    } else if (!state && error && !(error->retryable && error->http_status)) {
        if (err)
            *err = *error;
        answer = (struct tap_waiter_answer){.state = TAP_WAITER_FAILURE};
    } else {
        answer = again(waiter, error, now_ms, err);
    }
    answer.acceptor = acceptor;
    return answer;
}
