/*
 * Profiles. See profile.h.
 */
#include "profile.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "mem.h"
#include "text.h"
#include "words.h"

struct tap_profiles {
    struct tap_ini *config, *credentials; /* NULL: no such file */
    char *config_path, *credentials_path;
};

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* ---- reading ---- */

static char *path_of(const char *name, const char *otherwise)
{
    const char *path = variable(name);
    return tap_file_expand(path ? path : otherwise);
}

static tap_err read_file(struct tap_ini **out, const char *path, struct tap_error *err)
{
    struct tap_error ignored;
    if (!err)
        err = &ignored;
    struct tap_buf text;
    tap_buf_init(&text, TAP_INI_MAX_FILE);
    tap_err code = tap_file_load(&text, path, err);
    if (code == TAP_OK)
        code = tap_ini_parse(out, tap_buf_text(&text), text.len, path, err);
    else if (strcmp(err->name, "FileNotFound") == 0)
        code = TAP_OK;
    tap_buf_fini_secret(&text);
    /* Whatever is wrong with it: who the user is cannot be told. */
    if (code)
        code = err->code = TAP_E_CREDENTIALS;
    return code;
}

tap_err tap_profiles_read(struct tap_profiles **out, struct tap_error *err)
{
    struct tap_profiles *profiles = tap_alloc(sizeof *profiles);
    profiles->config_path = path_of("AWS_CONFIG_FILE", "~/.aws/config");
    profiles->credentials_path = path_of("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
    tap_err code = read_file(&profiles->config, profiles->config_path, err);
    if (code == TAP_OK)
        code = read_file(&profiles->credentials, profiles->credentials_path, err);
    if (code) {
        tap_profiles_free(profiles);
        profiles = NULL;
    }
    *out = profiles;
    return code;
}

void tap_profiles_free(struct tap_profiles *profiles)
{
    if (!profiles)
        return;
    tap_ini_free(profiles->config);
    tap_ini_free(profiles->credentials);
    tap_free(profiles->config_path);
    tap_free(profiles->credentials_path);
    tap_free(profiles);
}

const char *tap_profiles_config_path(const struct tap_profiles *profiles)
{
    return profiles->config_path;
}

const char *tap_profiles_credentials_path(const struct tap_profiles *profiles)
{
    return profiles->credentials_path;
}

static bool is_exposed(const struct tap_ini *ini, const char *path)
{
    struct stat status;
    bool has_keys = false;
    for (size_t i = 0; ini && i < ini->n && !has_keys; i++)
        has_keys = tap_ini_key(&ini->sections[i], "aws_secret_access_key") != NULL;
    return has_keys && stat(path, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO));
}

const char *tap_profiles_exposed(const struct tap_profiles *profiles)
{
    if (is_exposed(profiles->credentials, profiles->credentials_path))
        return profiles->credentials_path;
    return is_exposed(profiles->config, profiles->config_path) ? profiles->config_path : NULL;
}

/* ---- sections ---- */

/* The NAME of a section "[kind NAME]", where NAME may be quoted; NULL for other sections. The
 * caller frees it. */
static char *name_of(const struct tap_ini_section *section, const char *kind)
{
    struct tap_words words;
    char *name = NULL;
    if (strncmp(section->name, kind, strlen(kind)) != 0 || !tap_words_split(&words, section->name))
        return NULL;
    if (words.n == 2 && strcmp(words.items[0], kind) == 0)
        name = tap_strdup(words.items[1]);
    tap_words_fini(&words);
    return name;
}

static const struct tap_ini_section *find_section(const struct tap_ini *ini, const char *kind,
                                                  const char *wanted)
{
    for (size_t i = 0; ini && i < ini->n; i++) {
        char *name = name_of(&ini->sections[i], kind);
        bool is_it = name && strcmp(name, wanted) == 0;
        tap_free(name);
        if (is_it)
            return &ini->sections[i];
    }
    return NULL;
}

const struct tap_ini_section *tap_profile_section(const struct tap_profile *profile,
                                                  const char *kind, const char *name)
{
    return find_section(profile->files->config, kind, name);
}

/* ---- profiles ---- */

const char *tap_profile_name(const char *given)
{
    const char *name = given && *given ? given : variable("AWS_PROFILE");
    if (!name)
        name = variable("AWS_DEFAULT_PROFILE");
    return name ? name : "default";
}

/* Appends the names of all profiles to `names`, which the caller frees. */
static char **profile_names(const struct tap_profiles *profiles, size_t *n)
{
    const struct tap_ini *config = profiles->config, *credentials = profiles->credentials;
    char **names = tap_calloc((config ? config->n : 0) + (credentials ? credentials->n : 0) + 1,
                              sizeof *names);
    *n = 0;
    for (size_t i = 0; config && i < config->n; i++)
        if ((names[*n] = name_of(&config->sections[i], "profile")))
            ++*n;
    for (size_t i = 0; credentials && i < credentials->n; i++)
        names[(*n)++] = tap_strdup(credentials->sections[i].name);
    return names;
}

static tap_err not_found(const struct tap_profiles *profiles, const char *name,
                         struct tap_error *err)
{
    size_t n;
    char **names = profile_names(profiles, &n);
    const char *nearest = tap_nearest(name, (const char *const *)names, n);
    tap_fail(err, TAP_E_CREDENTIALS, "ProfileNotFound",
             "there is no profile '%s': neither [profile %s] in %s nor [%s] in %s%s%s%s", name,
             name, profiles->config_path, name, profiles->credentials_path,
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    for (size_t i = 0; i < n; i++)
        tap_free(names[i]);
    tap_free(names);
    return TAP_E_CREDENTIALS;
}

tap_err tap_profile_find(struct tap_profile *out, const struct tap_profiles *profiles,
                         const char *name, struct tap_error *err)
{
    bool is_default = strcmp(name, "default") == 0;
    *out = (struct tap_profile){
        .name = name,
        .config = find_section(profiles->config, "profile", name),
        .credentials = tap_ini_section(profiles->credentials, name),
        .files = profiles,
    };
    if (!out->config && is_default)
        out->config = tap_ini_section(profiles->config, name);
    if (!out->config && !out->credentials && !is_default)
        return not_found(profiles, name, err);
    return TAP_OK;
}

const char *tap_profile_get(const struct tap_profile *profile, const char *key)
{
    const char *value = tap_ini_value(profile->credentials, key);
    return value ? value : tap_ini_value(profile->config, key);
}

const char *tap_profile_setting(const struct tap_profile *profile, const char *name,
                                const char *key)
{
    const char *value = name ? variable(name) : NULL;
    return value || !key || !profile ? value : tap_profile_get(profile, key);
}

const char *tap_profile_region(const struct tap_profile *profile)
{
    const char *region = variable("AWS_REGION");
    return region ? region : tap_profile_setting(profile, "AWS_DEFAULT_REGION", "region");
}

const char *tap_profile_file(const struct tap_profile *profile)
{
    return profile->config || !profile->credentials ? profile->files->config_path
                                                    : profile->files->credentials_path;
}

/* ---- endpoints ---- */

/* "Elastic Load Balancing v2" -> "elastic_load_balancing_v2". The caller frees it. */
static char *service_key(const char *service_id)
{
    char *key = tap_strdup(service_id);
    for (char *c = key; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    return key;
}

tap_err tap_profile_endpoint_url(const char **out, const struct tap_profile *profile,
                                 const char *service_id, struct tap_error *err)
{
    const char *services = tap_profile_get(profile, "services");
    const struct tap_ini_section *section =
        services ? tap_profile_section(profile, "services", services) : NULL;
    *out = NULL;
    if (services && !section)
        return tap_fail(err, TAP_E_USAGE, "InvalidConfig",
                        "%s: profile '%s' has services = %s, but there is no section [services %s]",
                        tap_profile_file(profile), profile->name, services, services);
    char *key = service_key(service_id);
    *out = tap_ini_nested(tap_ini_key(section, key), "endpoint_url");
    tap_free(key);
    if (!*out)
        *out = tap_profile_get(profile, "endpoint_url");
    return TAP_OK;
}
