/*
 * The library as a whole.
 */
#ifndef TAP_LIBRARY_H
#define TAP_LIBRARY_H

#include "api.h"

TAP_API_BEGIN

/* The version of the library that runs, which with libtap.so may be a later one than the
 * TAP_VERSION that a program was compiled with. */
const char *tap_library_version(void);

/* Frees what is kept for the next client: models, credentials and known secrets (both are
 * overwritten). For a program's end, when its loop and its clients are freed. */
void tap_library_clear(void);

TAP_API_END

#endif
