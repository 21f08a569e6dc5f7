/*
 * libcurl's functions, as far as core/ calls them, loaded with the first. See late.h. A call of
 * another one is an undefined symbol when the command is linked: it gets its line here.
 */
#include <stdarg.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "late.h"

/* The header's macros of these names only check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct tap_late library = {.soname = TAP_LATE_CURL};

#define CURL(type, name, parameters, arguments)                                                    \
    TAP_LATE(&library, type, name, parameters, arguments)

CURL(CURLcode, curl_global_init, (long flags), (flags))
CURL(curl_version_info_data *, curl_version_info, (CURLversion version), (version))
CURL(CURLM *, curl_multi_init, (void), ())
CURL(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))
CURL(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy))
CURL(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL *easy), (multi, easy))
CURL(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))
CURL(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left))
CURL(CURLMcode, curl_multi_poll,
     (CURLM * multi, struct curl_waitfd extra[], unsigned n, int timeout_ms, int *ready),
     (multi, extra, n, timeout_ms, ready))
CURL(CURL *, curl_easy_init, (void), ())
CURL(void, curl_easy_cleanup, (CURL * easy), (easy))
CURL(const char *, curl_easy_strerror, (CURLcode code), (code))
CURL(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),
     (list, text))
CURL(void, curl_slist_free_all, (struct curl_slist * list), (list))

/* An option's number says what type its value has (curl.h: CURLOPTTYPE_...). */
static CURLcode set_option(__typeof__(curl_easy_setopt) *set, CURL *easy, CURLoption option,
                           va_list value)
{
    switch ((int)option / 10000 * 10000) {
    /* NOLINTNEXTLINE(bugprone-branch-clone): the types differ */
    case CURLOPTTYPE_LONG: return set(easy, option, va_arg(value, long));
    case CURLOPTTYPE_OFF_T: return set(easy, option, va_arg(value, curl_off_t));
    case CURLOPTTYPE_FUNCTIONPOINT: return set(easy, option, va_arg(value, void (*)(void)));
    default: return set(easy, option, va_arg(value, void *));
    }
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    static __typeof__(curl_easy_setopt) *set;
    if (!set)
        set = (__typeof__(curl_easy_setopt) *)tap_late(&library, "curl_easy_setopt");
    va_list value;
    va_start(value, option);
    CURLcode code = set_option(set, easy, option, value);
    va_end(value);
    return code;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    static __typeof__(curl_easy_getinfo) *get;
    if (!get)
        get = (__typeof__(curl_easy_getinfo) *)tap_late(&library, "curl_easy_getinfo");
    va_list value;
    va_start(value, info);
    CURLcode code = get(easy, info, va_arg(value, void *));
    va_end(value);
    return code;
}
