/*
 * A client of one AWS service. A call is one operation of the loop: it validates the input by the
 * model, builds the request, signs it, sends it, reads the answer, and sends it again where the
 * retry rules say so. It completes once.
 */
#ifndef TAP_CLIENT_H
#define TAP_CLIENT_H

#include <jansson.h>

#include "api.h"
#include "credentials.h"
#include "http.h"
#include "log.h"
#include "model.h"

TAP_API_BEGIN

struct tap_client;

/* What is NULL or 0 comes from the environment, then from the profile, whose other settings
 * (use_fips_endpoint, ca_bundle, services, ...) count, too. With credentials given and no profile,
 * no file is read. */
struct tap_client_options {
    const char *profile;      /* NULL: AWS_PROFILE, AWS_DEFAULT_PROFILE, else "default"; given here,
                                 it wins over keys in the environment */
    const char *region;       /* NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's */
    const char *endpoint_url; /* NULL: AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, the profile's,
                                 else by the service's model */
    const json_t *context; /* the service's own settings for its endpoints, {"UseArnRegion": true};
                              which there are: tap_model_part(.., "client-context-params"). NULL:
                              none */
    const struct tap_credentials *credentials; /* copied; NULL: those of the chain
                                                  (credentials_chain.h), kept fresh */
    bool anonymous;          /* nothing is signed and no credentials are looked for */
    const char *retry_mode;  /* "standard" or "adaptive" (retry.h); NULL: AWS_RETRY_MODE, the
                                profile's, else standard */
    int max_attempts;        /* 0: AWS_MAX_ATTEMPTS, the profile's, else 3 */
    int64_t call_timeout_ms; /* for a whole call, its pauses and attempts together; 0: no limit but
                                those of each attempt */
    uint64_t random_seed;    /* of the jitter in pauses, for runs that must repeat exactly; 0: the
                                operating system's random numbers */
    struct tap_http_options http; /* of each attempt */
    struct tap_log *log; /* borrowed for the life of the client and of its calls; may be NULL: each
                            attempt is a debug line, each retry an info line */
};

/* `options` may be NULL. TAP_E_CREDENTIALS for a profile that there is not and for files that
 * cannot be read. TAP_E_USAGE for an unknown service or setting, a missing region, an unusable
 * endpoint or number of attempts; TAP_E_UNSUPPORTED for a protocol or a way of signing that is not
 * built. Missing credentials are not an error yet: an operation may need none. */
tap_err tap_client_new(struct tap_client **out, struct tap_loop *loop, const char *service,
                       const struct tap_client_options *options, struct tap_error *err);
/* Calls under way keep what they need. NULL is ignored. */
void tap_client_free(struct tap_client *client);
const struct tap_model *tap_client_model(const struct tap_client *client);
/* "" when none is set and the service needs none. */
const char *tap_client_region(const struct tap_client *client);

/* The region of clients that are not given one: the environment's, else that of `profile` (as in
 * the options). The caller frees *out (tap_free); NULL: none is set. Fails for a profile as
 * tap_client_new does. */
tap_err tap_client_usual_region(char **out, const char *profile, struct tap_error *err);

/* Starts a call; `input` (an object; NULL: none) is borrowed for the time of this function only.
 * Wrong input, and credentials that there are none of, are errors here and nothing is sent. A call
 * that fails later completes with an error that names service, operation, request id and status;
 * `retryable` in it says that a later attempt may succeed. Known secrets are masked in the message.
 */
tap_err tap_client_call(struct tap_op **out, struct tap_client *client, const char *operation,
                        const json_t *input, struct tap_error *err);
/* Files in place of what would be in memory. */
struct tap_streams {
    const char *from; /* the request's body is of this file; NULL: the input has it */
    int64_t offset;   /* in that file */
    int64_t size;     /* bytes from there; 0: all that follow */
    const char *to;   /* the answer's body becomes this file when all of it has come and its
                         checksum is right; NULL: the output has it */
};

/* The same for an operation whose body is a stream of bytes, such as S3's PutObject and GetObject,
 * with files of any size: memory holds a small part of them at a time. The files' paths are
 * borrowed like `input`. A file that is sent is read once before that, for its checksum. What is
 * there under the name `to` is replaced at the end, or stays as it was when the call fails. Errors
 * besides those of a call: TAP_E_IO of the files, TAP_E_USAGE "NoStream" when the operation has no
 * such body or the input has it, too. */
tap_err tap_client_call_files(struct tap_op **out, struct tap_client *client, const char *operation,
                              const json_t *input, const struct tap_streams *streams,
                              struct tap_error *err);
/* The same up to the first request, which is built and signed and not sent: tap_call_request has
 * it, there is no output. Credentials are fetched when that is needed to sign. */
tap_err tap_client_prepare(struct tap_op **out, struct tap_client *client, const char *operation,
                           const json_t *input, struct tap_error *err);
/* The last request of a finished call without error; borrowed. It carries what signs it: the
 * session token among its headers is a secret. */
const struct tap_request *tap_call_request(const struct tap_op *op);
/* Of a finished call without error; borrowed, and not to be changed: calls that were answered alike
 * may share it. */
json_t *tap_call_output(const struct tap_op *op);
/* The answer's number among those of its client: one that says what the one before said, its
 * request id aside, has the number of that one, as far as the client remembers it. Numbers begin
 * at 1. */
int64_t tap_call_answer(const struct tap_op *op);
/* The service's request id, "" when there was none. */
const char *tap_call_request_id(const struct tap_op *op);
/* Requests sent so far. */
int tap_call_attempts(const struct tap_op *op);

TAP_API_END

#endif
