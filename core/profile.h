/*
 * Profiles: what ~/.aws/config (AWS_CONFIG_FILE) and ~/.aws/credentials
 * (AWS_SHARED_CREDENTIALS_FILE) say together, as the SDKs merge them: where both have a key, the
 * credentials file wins. Files that do not exist are empty.
 */
#ifndef TAP_PROFILE_H
#define TAP_PROFILE_H

#include "error.h"
#include "ini.h"

struct tap_profiles;

struct tap_profile {
    const char *name;
    const struct tap_ini_section *config, *credentials; /* NULL: not in that file */
    const struct tap_profiles *files;
};

/* Reads both files. TAP_E_CREDENTIALS with InvalidConfig and the place of what is wrong,
 * CannotRead, FileTooLarge; *out is then NULL. */
tap_err tap_profiles_read(struct tap_profiles **out, struct tap_error *err);
void tap_profiles_free(struct tap_profiles *profiles);
const char *tap_profiles_config_path(const struct tap_profiles *profiles);
const char *tap_profiles_credentials_path(const struct tap_profiles *profiles);
/* A file with keys in it that others than its owner may read or write; NULL when there is none. */
const char *tap_profiles_exposed(const struct tap_profiles *profiles);

/* `given`, else AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default". Borrowed. */
const char *tap_profile_name(const char *given);
/* *out borrows from `profiles` and `name`. "default" is there even when no file has it.
 * TAP_E_CREDENTIALS "ProfileNotFound" names the files and the nearest profile. */
tap_err tap_profile_find(struct tap_profile *out, const struct tap_profiles *profiles,
                         const char *name, struct tap_error *err);
/* Borrowed; NULL when the profile does not have the key, or has it empty. */
const char *tap_profile_get(const struct tap_profile *profile, const char *key);
/* The environment's `variable`, else the profile's `key`; an empty one counts as none, and either
 * name, or the profile, may be NULL. Borrowed. */
const char *tap_profile_setting(const struct tap_profile *profile, const char *variable,
                                const char *key);
/* AWS_REGION, AWS_DEFAULT_REGION, else the profile's region (`profile` may be NULL); NULL: none. */
const char *tap_profile_region(const struct tap_profile *profile);
/* The path of the file that has the profile, for messages: the config file's when both do. */
const char *tap_profile_file(const struct tap_profile *profile);

/* The section [kind name] of the config file: "sso-session", "services". NULL: none. */
const struct tap_ini_section *tap_profile_section(const struct tap_profile *profile,
                                                  const char *kind, const char *name);

/* The address that the profile configures for a service: that of its services section, else its
 * endpoint_url; NULL for none. `service_id` is the model's serviceId. TAP_E_USAGE "InvalidConfig"
 * when the services section is missing. */
tap_err tap_profile_endpoint_url(const char **out, const struct tap_profile *profile,
                                 const char *service_id, struct tap_error *err);

#endif
