/*
 * The SDKs' standard retry mode. See retry.h.
 */
#include "retry.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto.h"
#include "timestamp.h"

enum {
    BUCKET_SIZE = 500,
    COST = 5,
    COST_AFTER_TIMEOUT = 10, /* a slow service is hurt most by more requests */
    GAIN_WITHOUT_RETRY = 1,
    MAX_BACKOFF_MS = 20 * 1000,
    SKEW_MS = 4 * 60 * 1000, /* AWS accepts five minutes of difference (fifteen at S3) */
};

/* Where a code could be of two classes, the first row decides. */
static const struct {
    const char *code;
    enum tap_retry_class class;
} codes[] = {
    {"BandwidthLimitExceeded", TAP_RETRY_THROTTLED},
    {"EC2ThrottledException", TAP_RETRY_THROTTLED},
    {"LimitExceededException", TAP_RETRY_THROTTLED},
    {"PriorRequestNotComplete", TAP_RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", TAP_RETRY_THROTTLED},
    {"RequestLimitExceeded", TAP_RETRY_THROTTLED},
    {"RequestThrottled", TAP_RETRY_THROTTLED},
    {"RequestThrottledException", TAP_RETRY_THROTTLED},
    {"SlowDown", TAP_RETRY_THROTTLED},
    {"ThrottledException", TAP_RETRY_THROTTLED},
    {"Throttling", TAP_RETRY_THROTTLED},
    {"ThrottlingException", TAP_RETRY_THROTTLED},
    {"TooManyRequestsException", TAP_RETRY_THROTTLED},
    {"TransactionInProgressException", TAP_RETRY_THROTTLED},

    {"IDPCommunicationError", TAP_RETRY_TRANSIENT}, /* sts, asking an identity provider */
    {"InternalError", TAP_RETRY_TRANSIENT},         /* s3, also in answers of status 200 */
    {"RequestTimeout", TAP_RETRY_TRANSIENT},
    {"RequestTimeoutException", TAP_RETRY_TRANSIENT},

    {"RequestExpired", TAP_RETRY_CLOCK_SKEW},
    {"RequestInTheFuture", TAP_RETRY_CLOCK_SKEW},
    {"RequestTimeTooSkewed", TAP_RETRY_CLOCK_SKEW},

    {"ExpiredToken", TAP_RETRY_EXPIRED},
    {"ExpiredTokenException", TAP_RETRY_EXPIRED},
    {"TokenRefreshRequired", TAP_RETRY_EXPIRED},
};

/* These may be caused by a wrong clock, and by a wrong key: only the response's Date tells. */
static const char *const ambiguous_codes[] = {
    "AuthFailure",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
};

static const struct {
    int status;
    enum tap_retry_class class;
} statuses[] = {
    {429, TAP_RETRY_THROTTLED}, /* from a proxy as well as from a service */
    {500, TAP_RETRY_TRANSIENT}, {502, TAP_RETRY_TRANSIENT},
    {503, TAP_RETRY_TRANSIENT}, {504, TAP_RETRY_TRANSIENT},
};

bool tap_retry_mode_named(enum tap_retry_mode *out, const char *name)
{
    static const char *const names[] = {"standard", "adaptive"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            *out = (enum tap_retry_mode)i;
            return true;
        }
    }
    return false;
}

/* splitmix64: every state is a good one. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t bits = *state += 0x9e3779b97f4a7c15u;
    if (*state == 0) /* would mean the operating system */
        *state = 1;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

double tap_retry_random(uint64_t *state)
{
    uint64_t bits;
    if (*state)
        bits = next_random(state);
    else
        tap_random(&bits, sizeof bits);
    return ldexp((double)(bits >> 11), -53);
}

void tap_retry_bucket_init(struct tap_retry_bucket *bucket)
{
    bucket->tokens = BUCKET_SIZE;
}

const char *tap_retry_class_name(enum tap_retry_class class)
{
    static const char *const names[] = {"none", "transient", "throttled", "clock skew",
                                        "expired credentials"};
    return names[class];
}

static const char *response_header(const struct tap_response *response, const char *name)
{
    return response ? tap_headers_get(&response->headers, name) : NULL;
}

/* Server's clock minus ours, by the Date header. False when there is none. */
static bool read_skew(int64_t *skew_ms, const struct tap_retry_failure *failure)
{
    const char *date = response_header(failure->response, "Date");
    double seconds;
    if (!date || !tap_time_parse(&seconds, date))
        return false;
    *skew_ms = (int64_t)(seconds * 1000) - failure->clock_ms;
    return true;
}

static bool is_ambiguous(const char *code)
{
    for (size_t i = 0; i < sizeof ambiguous_codes / sizeof *ambiguous_codes; i++)
        if (strcmp(code, ambiguous_codes[i]) == 0)
            return true;
    return false;
}

enum tap_retry_class tap_retry_classify(const struct tap_retry_failure *failure)
{
    const struct tap_error *error = failure->error;
    if (error->code == TAP_E_NETWORK && strcmp(error->name, "CertificateError") == 0)
        return TAP_RETRY_NO; /* unlike the SDKs: the second time it is the same certificate */
    if (error->code == TAP_E_NETWORK || error->code == TAP_E_TIMEOUT)
        return TAP_RETRY_TRANSIENT;
    if (error->code != TAP_E_SERVICE)
        return TAP_RETRY_NO;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(error->name, codes[i].code) == 0)
            return codes[i].class;
    int64_t skew_ms;
    if (is_ambiguous(error->name) && read_skew(&skew_ms, failure) && llabs(skew_ms) > SKEW_MS)
        return TAP_RETRY_CLOCK_SKEW;
    if (failure->modelled != TAP_RETRY_NO)
        return failure->modelled;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (error->http_status == statuses[i].status)
            return statuses[i].class;
    return TAP_RETRY_NO;
}

void tap_retry_begin(struct tap_retry *retry, struct tap_retry_bucket *bucket, int max_attempts)
{
    assert(max_attempts >= 1);
    *retry = (struct tap_retry){.bucket = bucket, .max_attempts = max_attempts, .attempt = 1};
}

/* "120", "Fri, 31 Dec 1999 23:59:59 GMT", or milliseconds in x-amz-retry-after. 0 for none and for
 * what cannot be read. */
static int64_t retry_after_ms(const struct tap_retry_failure *failure)
{
    const char *millis = response_header(failure->response, "x-amz-retry-after");
    const char *after = response_header(failure->response, "Retry-After");
    double wanted = 0, date;
    char *end;
    if (millis) {
        wanted = strtod(millis, &end);
        if (end == millis || *end)
            wanted = 0;
    } else if (after) {
        wanted = strtod(after, &end) * 1000;
        if (end == after || *end)
            wanted = tap_time_parse(&date, after) ? date * 1000 - (double)failure->clock_ms : 0;
    }
    if (!(wanted > 0)) /* NaN too */
        return 0;
    return wanted < TAP_RETRY_MAX_AFTER_MS ? (int64_t)wanted : TAP_RETRY_MAX_AFTER_MS;
}

static int64_t delay_ms(const struct tap_retry *retry, const struct tap_retry_failure *failure)
{
    int64_t backoff =
        (int64_t)(failure->random * fmin(ldexp(1000, retry->attempt - 1), MAX_BACKOFF_MS));
    int64_t after = retry_after_ms(failure);
    return after > backoff ? after : backoff;
}

static bool reserve(struct tap_retry *retry, int cost)
{
    if (retry->bucket->tokens < cost)
        return false;
    retry->bucket->tokens -= cost;
    retry->reserved = cost;
    return true;
}

struct tap_retry_answer tap_retry_failed(struct tap_retry *retry,
                                         const struct tap_retry_failure *failure)
{
    struct tap_retry_answer answer = {.why = tap_retry_classify(failure)};
    switch (answer.why) {
    case TAP_RETRY_NO: return answer;
    case TAP_RETRY_CLOCK_SKEW:
        if (retry->skew_corrected || !read_skew(&answer.skew_ms, failure))
            return answer;
        break;
    case TAP_RETRY_EXPIRED:
        if (retry->credentials_refreshed)
            return answer;
        break;
    case TAP_RETRY_TRANSIENT:
    case TAP_RETRY_THROTTLED: answer.delay_ms = delay_ms(retry, failure); break;
    }
    int cost = failure->error->code == TAP_E_TIMEOUT ? COST_AFTER_TIMEOUT : COST;
    if (retry->attempt >= retry->max_attempts || !reserve(retry, cost)) {
        answer.delay_ms = 0;
        return answer;
    }
    retry->skew_corrected |= answer.why == TAP_RETRY_CLOCK_SKEW;
    retry->credentials_refreshed |= answer.why == TAP_RETRY_EXPIRED;
    retry->attempt++;
    answer.again = true;
    return answer;
}

void tap_retry_succeeded(struct tap_retry *retry)
{
    int tokens = retry->bucket->tokens + (retry->reserved ? retry->reserved : GAIN_WITHOUT_RETRY);
    retry->bucket->tokens = tokens < BUCKET_SIZE ? tokens : BUCKET_SIZE;
}
