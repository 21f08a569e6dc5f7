/*
 * Loading a library late. See late.h.
 */
#include "late.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void die(void)
{
    fprintf(stderr, "tapengine: %s\n", dlerror());
    exit(127);
}

void *tap_late(struct tap_late *library, const char *name)
{
    if (!library->handle)
        library->handle = dlopen(library->soname, RTLD_LAZY | RTLD_LOCAL);
    if (!library->handle)
        die();
    void *function = dlsym(library->handle, name);
    if (!function)
        die();
    return function;
}
