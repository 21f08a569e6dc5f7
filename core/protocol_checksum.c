/*
 * Checksums of bodies. See protocol_checksum.h.
 *
 * Source: Smithy, "aws.protocols#httpChecksum" and "smithy.api#httpChecksumRequired".
 */
#include "protocol_checksum.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "digest.h"
#include "mem.h"
#include "protocol_shape.h"
#include "text.h"

/* x-amz-checksum-sha256; the caller frees it. */
static char *header_of(const char *algorithm)
{
    char *header = tap_sprintf("x-amz-checksum-%s", algorithm);
    for (char *c = header; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return header;
}

/* True when the caller did the sum. "x-amz-checksum-type" and "-mode" are no sums. */
static bool has_checksum(const struct tap_request *request)
{
    bool found = tap_headers_get(&request->headers, "Content-MD5") != NULL;
    for (const char *const *name = tap_digest_names; *name && !found; name++) {
        char *header = header_of(*name);
        found = tap_headers_get(&request->headers, header) != NULL;
        tap_free(header);
    }
    return found;
}

/* Tells the service which algorithm was chosen for the caller, in the header that the model binds
 * the choice to. */
static void name_algorithm(struct tap_request *request, const struct tap_model *model,
                           const json_t *operation, const char *member, const char *name)
{
    const json_t *shape = tap_ref_shape(model, json_object_get(operation, "input"));
    const json_t *ref = json_object_get(json_object_get(shape, "members"), member);
    const char *location = json_string_value(json_object_get(ref, "location"));
    if (location && strcmp(location, "header") == 0)
        tap_headers_set(&request->headers, tap_wire_own_name(ref, member), name);
}

/* The name among those of digest.h; NULL when it is not one of them. */
static const char *known(const char *name)
{
    for (const char *const *known = tap_digest_names; *known; known++)
        if (strcasecmp(*known, name) == 0)
            return *known;
    return NULL;
}

/* The algorithm of an operation whose model leaves the choice, in *algorithm; NULL: none is asked
 * for. */
static tap_err choose(const char **algorithm, struct tap_request *request,
                      const struct tap_model *model, const json_t *operation, const json_t *input,
                      bool all, struct tap_error *err)
{
    const json_t *trait = json_object_get(operation, "httpChecksum");
    const char *member = json_string_value(json_object_get(trait, "requestAlgorithmMember"));
    const char *chosen = member ? json_string_value(json_object_get(input, member)) : NULL;
    bool demanded = tap_ref_flag(trait, "requestChecksumRequired") || chosen;
    *algorithm = NULL;
    if (!demanded && !(member && all))
        return TAP_OK;
    *algorithm = known(chosen ? chosen : "CRC32");
    if (!*algorithm)
        return tap_fail(err, TAP_E_UNSUPPORTED, "UnsupportedChecksum",
                        "%s: the checksum %s is not supported (CRC32, CRC32C, CRC64NVME, SHA1 and "
                        "SHA256 are)",
                        member, chosen);
    if (!chosen && member)
        name_algorithm(request, model, operation, member, *algorithm);
    return TAP_OK;
}

tap_err tap_checksum_asked(struct tap_checksum *out, struct tap_request *request,
                           const struct tap_model *model, const json_t *operation,
                           const json_t *input, bool all, struct tap_error *err)
{
    *out = (struct tap_checksum){0};
    if (has_checksum(request))
        return TAP_OK;
    if (json_object_get(operation, "httpChecksum")) {
        tap_err code = choose(&out->algorithm, request, model, operation, input, all, err);
        out->header = out->algorithm ? header_of(out->algorithm) : NULL;
        return code;
    }
    if (tap_ref_flag(operation, "httpChecksumRequired"))
        *out = (struct tap_checksum){.algorithm = "MD5", .header = tap_strdup("Content-MD5")};
    return TAP_OK;
}

void tap_checksum_set(struct tap_headers *headers, const char *header, const uint8_t *sum, size_t n)
{
    struct tap_buf text;
    tap_buf_init(&text, 4 * TAP_MAX_DIGEST);
    tap_base64_encode(&text, sum, n);
    tap_headers_set(headers, header, tap_buf_text(&text));
    tap_buf_fini(&text);
}

static size_t sum_of(uint8_t sum[TAP_MAX_DIGEST], const char *algorithm, const struct tap_buf *body)
{
    struct tap_digest *digest = tap_digest_new(algorithm);
    tap_digest_add(digest, tap_buf_text(body), body->len);
    return tap_digest_end(digest, sum);
}

tap_err tap_checksum_request(struct tap_request *request, const struct tap_model *model,
                             const json_t *operation, const json_t *input, bool all,
                             struct tap_error *err)
{
    struct tap_checksum asked;
    if (request->stretch)
        return TAP_OK; /* who sends it reads it first */
    tap_err code = tap_checksum_asked(&asked, request, model, operation, input, all, err);
    if (!code && asked.algorithm) {
        uint8_t sum[TAP_MAX_DIGEST];
        size_t n = sum_of(sum, asked.algorithm, &request->body);
        tap_checksum_set(&request->headers, asked.header, sum, n);
    }
    tap_free(asked.header);
    return code;
}

/* ---- answers ---- */

const char *tap_checksum_mode_member(const json_t *operation)
{
    return json_string_value(
        json_object_get(json_object_get(operation, "httpChecksum"), "requestValidationModeMember"));
}

/* "-" and a number follow the sum of an object that came in parts: it is one of the parts' sums. */
static bool is_of_parts(const char *value)
{
    return strchr(value, '-') != NULL;
}

struct tap_checksum tap_checksum_told(const json_t *operation, const struct tap_headers *headers)
{
    size_t i;
    const json_t *name;
    const json_t *trait = json_object_get(operation, "httpChecksum");
    json_array_foreach(json_object_get(trait, "responseAlgorithms"), i, name)
    {
        const char *algorithm = known(json_string_value(name));
        char *header = algorithm ? header_of(algorithm) : NULL;
        const char *value = header ? tap_headers_get(headers, header) : NULL;
        if (value && !is_of_parts(value))
            return (struct tap_checksum){.algorithm = algorithm, .header = header};
        tap_free(header);
    }
    return (struct tap_checksum){0};
}

tap_err tap_checksum_compare(const struct tap_headers *headers, const char *header,
                             const uint8_t *sum, size_t n, struct tap_error *err)
{
    struct tap_headers ours = {0};
    tap_checksum_set(&ours, header, sum, n);
    const char *told = tap_headers_get(headers, header), *found = tap_headers_get(&ours, header);
    tap_err code = TAP_OK;
    if (strcmp(told, found) != 0)
        code = tap_fail(err, TAP_E_NETWORK, "ChecksumMismatch",
                        "the answer's body has the %s %s, where the service says %s", header, found,
                        told);
    tap_headers_fini(&ours);
    return code;
}

tap_err tap_checksum_response(const json_t *operation, const struct tap_response *response,
                              struct tap_error *err)
{
    struct tap_checksum told = tap_checksum_told(operation, &response->headers);
    tap_err code = TAP_OK;
    if (told.algorithm) {
        uint8_t sum[TAP_MAX_DIGEST];
        size_t n = sum_of(sum, told.algorithm, &response->body);
        code = tap_checksum_compare(&response->headers, told.header, sum, n, err);
    }
    tap_free(told.header);
    return code;
}
