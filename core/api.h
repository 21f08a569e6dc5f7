/*
 * What a public header puts around its declarations. Public are tap.h and what it includes: those
 * are installed, C++ may include them, and what they declare is exported from libtap.so. All the
 * rest is compiled with hidden visibility, so that no program comes to depend on it.
 */
#ifndef TAP_API_H
#define TAP_API_H

#ifdef __cplusplus
#define TAP_API_BEGIN                                                                              \
    extern "C" {                                                                                   \
    _Pragma("GCC visibility push(default)")
#define TAP_API_END                                                                                \
    _Pragma("GCC visibility pop")                                                                  \
    }
#else
#define TAP_API_BEGIN _Pragma("GCC visibility push(default)")
#define TAP_API_END _Pragma("GCC visibility pop")
#endif

#endif
