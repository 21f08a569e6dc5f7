/*
 * What concerns no single module: the version, and the end. See library.h.
 */
#include "library.h"

#include "credentials_provider.h"
#include "model.h"
#include "secret.h"
#include "version.h"

const char *tap_library_version(void)
{
    return TAP_VERSION;
}

void tap_library_clear(void)
{
    tap_model_unload_all();
    tap_providers_clear();
    tap_secrets_clear();
}
