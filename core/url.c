/*
 * Splitting the address of an endpoint (RFC 3986, section 3, as far as endpoints use it).
 */
#include "url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool tap_is_host_label(const char *text, size_t n)
{
    if (n < 1 || n > 63 || text[0] == '-' || text[n - 1] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_letter_or_digit(text[i]) && text[i] != '-')
            return false;
    return true;
}

static bool is_address(int family, const char *text, size_t n)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return inet_pton(family, copy, address) == 1;
}

/* Names are not checked label by label: private ones have '_', or a label that ends with '-'. */
static bool is_host_name(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_letter_or_digit(text[i]) && !strchr("-._~", text[i]))
            return false;
    return n > 0;
}

static bool is_port(const char *text, size_t n)
{
    unsigned port = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
        if (port > 65535)
            return false;
    }
    return n > 0;
}

/* Fills host_n and is_ip. */
static const char *split_authority(struct tap_url *out)
{
    const char *host = out->authority;
    size_t n = out->authority_n;
    if (n && host[0] == '[') {
        const char *end = memchr(host, ']', n);
        if (!end || !is_address(AF_INET6, host + 1, (size_t)(end - host) - 1))
            return "its host is no IPv6 address";
        out->is_ip = true;
        out->host_n = (size_t)(end - host) + 1;
    } else {
        const char *colon = memchr(host, ':', n);
        out->host_n = colon ? (size_t)(colon - host) : n;
        if (!is_host_name(host, out->host_n))
            return "its host is no name and no address";
        out->is_ip = is_address(AF_INET, host, out->host_n);
    }
    if (out->host_n == n)
        return NULL;
    if (host[out->host_n] != ':' || !is_port(host + out->host_n + 1, n - out->host_n - 1))
        return "its port is not a number from 0 to 65535";
    return NULL;
}

const char *tap_url_split(struct tap_url *out, const char *text)
{
    memset(out, 0, sizeof *out);
    if (strncmp(text, "http://", 7) == 0)
        out->scheme = "http";
    else if (strncmp(text, "https://", 8) == 0)
        out->scheme = "https";
    else
        return "it must begin with http:// or https://";
    out->authority = text + strlen(out->scheme) + strlen("://");
    out->authority_n = strcspn(out->authority, "/?#");
    out->path = out->authority + out->authority_n;
    if (memchr(out->authority, '@', out->authority_n))
        return "it must not contain a user name or password";
    if (strpbrk(out->path, "?#"))
        return "it must not contain '?' or '#'";
    for (const char *c = out->path; *c; c++)
        if (*c <= ' ' || *c > '~')
            return "its path must be ASCII without blanks";
    return split_authority(out);
}
