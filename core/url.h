/*
 * The address of an endpoint in its parts: http://HOST[:PORT][/PATH]. What else a URL may have (a
 * user, a query, a fragment) no endpoint has, so it is refused here.
 */
#ifndef TAP_URL_H
#define TAP_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Pointers into the text that was split; none ends with a NUL of its own. */
struct tap_url {
    const char *scheme;    /* "http" or "https", a text of its own */
    const char *authority; /* the host, and ':' and the port if one is given */
    size_t authority_n;
    size_t host_n;    /* how much of the authority is the host: "a.example", "[::1]" */
    const char *path; /* to the text's end: "" or "/..." */
    bool is_ip;       /* the host is an IPv4 or IPv6 address */
};

/* NULL, or what is wrong with `text`, for an error's message. It does not repeat the text, which
 * may hold a password. */
const char *tap_url_split(struct tap_url *out, const char *text);

/* True for letters, digits and inner hyphens, 1 to 63 of them: one part of a host's name. */
bool tap_is_host_label(const char *text, size_t n);

#endif
