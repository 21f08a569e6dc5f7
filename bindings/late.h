/*
 * Libraries that the command loads when it needs them. libcurl, libmicrohttpd and libcrypto take
 * longer to load, with the thirty that they bring, than all that `tapengine lint` or the completion
 * of a shell does, and those need none of them; nor do they need libsqlite3. The command is linked
 * against functions of the same names that load the library when the first is called; so nothing in
 * core/ knows, and libtap is linked as usual.
 */
#ifndef TAP_LATE_H
#define TAP_LATE_H

/* The names of the libraries: the Makefile asks those that this is built with. */
#ifndef TAP_LATE_CURL
#define TAP_LATE_CURL "libcurl.so.4"
#endif
#ifndef TAP_LATE_CRYPTO
#define TAP_LATE_CRYPTO "libcrypto.so.3"
#endif
#ifndef TAP_LATE_MICROHTTPD
#define TAP_LATE_MICROHTTPD "libmicrohttpd.so.12"
#endif
#ifndef TAP_LATE_SQLITE
#define TAP_LATE_SQLITE "libsqlite3.so.0"
#endif

struct tap_late {
    const char *soname;
    void *handle; /* NULL: not loaded yet */
};

/* The function of that name. A library that is not there, or lacks it, ends the program as the
 * dynamic linker would have done before main: with a message, and exit code 127. */
void *tap_late(struct tap_late *library, const char *name);

/* Defines function NAME with PARAMETERS as one that calls the library's with ARGUMENTS. */
#define TAP_LATE(library, type, name, parameters, arguments)                                       \
    type name parameters                                                                           \
    {                                                                                              \
        static __typeof__(name) *function;                                                         \
        if (!function)                                                                             \
            function = (__typeof__(name) *)tap_late(library, #name);                               \
        return function arguments;                                                                 \
    }

#endif
