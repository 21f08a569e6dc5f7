/*
 * The library of endpoint rules: the functions of Smithy's specification and of AWS's extension to
 * it, those that the models call. A table says what each takes; the functions are pure.
 */
#include "rules_functions.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "rules.h"
#include "text.h"
#include "url.h"

enum {
    MAX_ENCODED = 3 * TAP_RULES_MAX_TEXT,
    MAX_INDEX = 1000, /* of an array; none in the models has more than a handful of elements */
};

static const char *text_of(const json_t *value)
{
    return json_string_value(value);
}

/* ---- values ---- */

static json_t *is_set(json_t *const *arguments)
{
    return json_boolean(arguments[0] != NULL);
}

static json_t *not_(json_t *const *arguments)
{
    return json_boolean(!json_is_true(arguments[0]));
}

static json_t *boolean_equals(json_t *const *arguments)
{
    return json_boolean(json_is_true(arguments[0]) == json_is_true(arguments[1]));
}

static json_t *string_equals(json_t *const *arguments)
{
    return json_boolean(strcmp(text_of(arguments[0]), text_of(arguments[1])) == 0);
}

/* "key", "key[0]" or "[0]": n bytes. */
static json_t *step_into(json_t *value, const char *step, size_t n)
{
    char key[64];
    size_t key_n = 0;
    while (key_n < n && step[key_n] != '[')
        key_n++;
    if (key_n >= sizeof key)
        return NULL;
    memcpy(key, step, key_n);
    key[key_n] = '\0';
    if (key_n)
        value = json_object_get(value, key);
    if (key_n == n)
        return value;
    size_t index = 0, at = key_n + 1;
    for (; at < n && step[at] >= '0' && step[at] <= '9' && index < MAX_INDEX; at++)
        index = index * 10 + (size_t)(step[at] - '0');
    bool is_index = at > key_n + 1 && at + 1 == n && step[at] == ']';
    return is_index ? json_array_get(value, index) : NULL;
}

json_t *tap_rules_attribute(json_t *value, const char *path, size_t n)
{
    const char *end = path + n;
    while (value) {
        const char *dot = memchr(path, '.', (size_t)(end - path));
        value = step_into(value, path, (size_t)((dot ? dot : end) - path));
        if (!dot)
            break;
        path = dot + 1;
    }
    return value;
}

static json_t *get_attr(json_t *const *arguments)
{
    const char *path = text_of(arguments[1]);
    return json_incref(tap_rules_attribute(arguments[0], path, strlen(path)));
}

/* ---- texts ---- */

static bool is_ascii(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] > 0x7f)
            return false;
    return true;
}

/* (text, start, stop, from_end). Unset when the text is too short, or not ASCII: where bytes and
 * characters differ, the specification gives no answer. */
static json_t *substring(json_t *const *arguments)
{
    const char *text = text_of(arguments[0]);
    json_int_t length = (json_int_t)json_string_length(arguments[0]);
    json_int_t start = json_integer_value(arguments[1]), stop = json_integer_value(arguments[2]);
    if (start < 0 || start >= stop || stop > length || !is_ascii(text, (size_t)length))
        return NULL;
    const char *from = json_is_true(arguments[3]) ? text + length - stop : text + start;
    return json_stringn(from, (size_t)(stop - start));
}

static json_t *uri_encode(json_t *const *arguments)
{
    struct tap_buf out;
    tap_buf_init(&out, MAX_ENCODED);
    tap_uri_encode(&out, text_of(arguments[0]), json_string_length(arguments[0]), "");
    json_t *encoded = out.overflow ? NULL : json_string(tap_buf_text(&out));
    tap_buf_fini(&out);
    return encoded;
}

/* {scheme, authority, path, normalizedPath, isIp}; unset for what is no endpoint's address. The
 * normalized path ends with '/'. */
static json_t *parse_url(json_t *const *arguments)
{
    struct tap_url url;
    if (tap_url_split(&url, text_of(arguments[0])))
        return NULL;
    size_t path_n = strlen(url.path);
    const char *slash = path_n && url.path[path_n - 1] == '/' ? "" : "/";
    return json_pack("{s:s, s:s%, s:s, s:s+, s:b}", "scheme", url.scheme, "authority",
                     url.authority, url.authority_n, "path", url.path, "normalizedPath", url.path,
                     slash, "isIp", url.is_ip);
}

/* ---- names of hosts and buckets ---- */

/* Every part between dots is a label; one part only unless `subdomains`. */
static bool are_host_labels(const char *text, size_t n, bool subdomains)
{
    const char *end = text + n;
    for (;;) {
        const char *dot = subdomains ? memchr(text, '.', (size_t)(end - text)) : NULL;
        if (!tap_is_host_label(text, (size_t)((dot ? dot : end) - text)))
            return false;
        if (!dot)
            return true;
        text = dot + 1;
    }
}

static json_t *is_valid_host_label(json_t *const *arguments)
{
    return json_boolean(are_host_labels(text_of(arguments[0]), json_string_length(arguments[0]),
                                        json_is_true(arguments[1])));
}

/* A bucket's name that can stand before S3's host: 3 to 63 bytes, no capitals, no IPv4 address. */
static json_t *is_virtual_hostable(json_t *const *arguments)
{
    const char *name = text_of(arguments[0]);
    size_t n = json_string_length(arguments[0]);
    struct in_addr address;
    bool fits = n >= 3 && n <= 63 && strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n &&
                are_host_labels(name, n, json_is_true(arguments[1])) &&
                inet_pton(AF_INET, name, &address) != 1;
    return json_boolean(fits);
}

/* ---- AWS's names ---- */

static json_t *partition(json_t *const *arguments)
{
    return json_incref((json_t *)tap_rules_partition(text_of(arguments[0])));
}

/* The parts of a resource's name, which ':' and '/' separate. */
static json_t *resource_parts(const char *resource)
{
    json_t *parts = json_array();
    for (;;) {
        size_t n = strcspn(resource, ":/");
        json_array_append_new(parts, json_stringn(resource, n));
        if (!resource[n])
            return parts;
        resource += n + 1;
    }
}

/* arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE; region and account may be empty. */
static json_t *parse_arn(json_t *const *arguments)
{
    enum { ARN, PARTITION, SERVICE, REGION, ACCOUNT, N_PARTS };
    const char *parts[N_PARTS], *at = text_of(arguments[0]);
    size_t lengths[N_PARTS];
    for (int i = 0; i < N_PARTS; i++) {
        parts[i] = at;
        lengths[i] = strcspn(at, ":");
        if (!at[lengths[i]])
            return NULL;
        at += lengths[i] + 1;
    }
    bool is_arn = lengths[ARN] == 3 && memcmp(parts[ARN], "arn", 3) == 0;
    if (!is_arn || !lengths[PARTITION] || !lengths[SERVICE] || !*at)
        return NULL;
    return json_pack("{s:s%, s:s%, s:s%, s:s%, s:o}", "partition", parts[PARTITION],
                     lengths[PARTITION], "service", parts[SERVICE], lengths[SERVICE], "region",
                     parts[REGION], lengths[REGION], "accountId", parts[ACCOUNT], lengths[ACCOUNT],
                     "resourceId", resource_parts(at));
}

/* ---- by name ---- */

static const struct tap_rules_function functions[] = {
    {"booleanEquals", "bb", boolean_equals},
    {"getAttr", "vs", get_attr},
    {"isSet", "?", is_set},
    {"stringEquals", "ss", string_equals},
    {"aws.partition", "s", partition},
    {"not", "b", not_},
    {"substring", "siib", substring},
    {"isValidHostLabel", "sb", is_valid_host_label},
    {"parseURL", "s", parse_url},
    {"aws.parseArn", "s", parse_arn},
    {"aws.isVirtualHostableS3Bucket", "sb", is_virtual_hostable},
    {"uriEncode", "s", uri_encode},
};

const struct tap_rules_function *tap_rules_function(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

bool tap_rules_is_function(const char *name)
{
    return tap_rules_function(name) != NULL;
}
