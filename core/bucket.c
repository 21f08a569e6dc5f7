/*
 * Where buckets are, as answers tell. See bucket.h.
 *
 * That the input names a bucket is seen by the parameter of the endpoint rules that it becomes, so
 * that no code here knows S3's operations.
 */
#include "bucket.h"

#include <string.h>

#include "endpoint_parameters.h"
#include "mem.h"
#include "url.h"

/* The bucket among the input's members, borrowed; NULL when there is none. */
static const char *bucket_in(const struct tap_client *client, const json_t *operation,
                             const json_t *input)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)input, member, value)
    {
        if (strcmp(tap_endpoint_parameter_of(client->model, operation, member), "Bucket") == 0)
            return json_string_value(value);
    }
    return NULL;
}

tap_err tap_bucket_endpoint(struct tap_endpoint *out, const struct tap_client *client,
                            const json_t *operation, const json_t *input, struct tap_error *err)
{
    const char *bucket = client->bucket_regions ? bucket_in(client, operation, input) : NULL;
    const char *region =
        bucket ? json_string_value(json_object_get(client->bucket_regions, bucket)) : NULL;
    return tap_endpoint_resolve_in(out, client->endpoints, region, operation, input, err);
}

json_t *tap_bucket_place(const struct tap_client *client, const json_t *operation,
                         const json_t *input)
{
    if (!bucket_in(client, operation, input))
        return NULL;
    json_t *place = json_object();
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)input, member, value)
    {
        if (*tap_endpoint_parameter_of(client->model, operation, member))
            json_object_set(place, member, value);
    }
    return place;
}

const char *tap_bucket_referral(const struct tap_response *response, const char *region)
{
    static const int statuses[] = {301, 302, 307, 400};
    const char *other = tap_headers_get(&response->headers, "x-amz-bucket-region");
    bool refused = false;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        refused = refused || response->status == statuses[i];
    return refused && other && strcmp(other, region) != 0 && tap_is_host_label(other, strlen(other))
               ? other
               : NULL;
}

void tap_bucket_explain(struct tap_error *error, const struct tap_response *response,
                        const char *region)
{
    const char *other = tap_headers_get(&response->headers, "x-amz-bucket-region");
    if (!other || !region || strcmp(other, region) == 0)
        return;
    char *message = tap_sprintf("%s (the bucket is in %s; the request was for %s)", error->message,
                                other, region);
    tap_error_copy(error->message, sizeof error->message, message);
    tap_free(message);
}

bool tap_bucket_follow(struct tap_client *client, const json_t *place, const char *region,
                       const json_t *operation, struct tap_endpoint *endpoint,
                       struct tap_request *request)
{
    struct tap_endpoint there;
    if (tap_endpoint_resolve_in(&there, client->endpoints, region, operation, place, NULL))
        return false;
    if (strcmp(there.base_path, endpoint->base_path) != 0) { /* it stands in the target already */
        tap_endpoint_fini(&there);
        return false;
    }
    tap_set(&request->scheme, there.scheme);
    tap_set(&request->host, there.host);
    tap_headers_remove(&request->headers, "Host"); /* signing sets it */
    tap_endpoint_fini(endpoint);
    *endpoint = there;
    if (!client->bucket_regions)
        client->bucket_regions = json_object();
    json_object_set_new(client->bucket_regions, bucket_in(client, operation, place),
                        json_string(region));
    return true;
}
