/*
 * The search path of a user's models: the folders of $AWS_DATA_PATH, then ~/.aws/models. Folders
 * that are not there or cannot be read are skipped, as botocore skips them.
 */
#include "model_folders.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

void tap_names_add(struct tap_names *names, char *taken)
{
    names->items = tap_grow(names->items, names->n, &names->cap, sizeof *names->items);
    names->items[names->n++] = taken;
}

void tap_names_fini(struct tap_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        tap_free(names->items[i]);
    tap_free(names->items);
    *names = (struct tap_names){0};
}

bool tap_model_is_name(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return *text && *text != '.' && text[strspn(text, allowed)] == '\0';
}

static struct tap_names search_path(void)
{
    struct tap_names folders = {0};
    const char *home = getenv("HOME");
    const char *rest = getenv("AWS_DATA_PATH");
    while (rest && *rest) {
        size_t n = strcspn(rest, ":");
        bool in_home = home && n >= 2 && rest[0] == '~' && rest[1] == '/';
        if (n)
            tap_names_add(&folders, in_home ? tap_sprintf("%s%.*s", home, (int)(n - 1), rest + 1)
                                            : tap_strndup(rest, n));
        rest += n + (rest[n] == ':');
    }
    if (home && *home)
        tap_names_add(&folders, tap_sprintf("%s/.aws/models", home));
    return folders;
}

/* The newest DATE for which FOLDER/SERVICE/DATE/service-2.json is there; NULL when none is. */
static char *newest_version(const char *folder, const char *service)
{
    char *newest = NULL;
    char *path = tap_sprintf("%s/%s", folder, service);
    DIR *versions = opendir(path);
    for (const struct dirent *entry; versions && (entry = readdir(versions));) {
        if (entry->d_name[0] == '.' || (newest && strcmp(entry->d_name, newest) <= 0))
            continue;
        char *file = tap_sprintf("%s/%s/service-2.json", path, entry->d_name);
        if (access(file, F_OK) == 0) {
            tap_free(newest);
            newest = tap_strdup(entry->d_name);
        }
        tap_free(file);
    }
    if (versions)
        closedir(versions);
    tap_free(path);
    return newest;
}

char *tap_model_folder(const char *service)
{
    if (!tap_model_is_name(service))
        return NULL;
    char *found = NULL;
    struct tap_names folders = search_path();
    for (size_t i = 0; i < folders.n && !found; i++) {
        char *version = newest_version(folders.items[i], service);
        if (version)
            found = tap_sprintf("%s/%s/%s", folders.items[i], service, version);
        tap_free(version);
    }
    tap_names_fini(&folders);
    return found;
}

static void add_services(struct tap_names *names, const char *folder)
{
    DIR *services = opendir(folder);
    for (const struct dirent *entry; services && (entry = readdir(services));) {
        if (!tap_model_is_name(entry->d_name))
            continue;
        char *version = newest_version(folder, entry->d_name);
        if (version)
            tap_names_add(names, tap_strdup(entry->d_name));
        tap_free(version);
    }
    if (services)
        closedir(services);
}

void tap_model_folder_services(struct tap_names *names)
{
    struct tap_names folders = search_path();
    for (size_t i = 0; i < folders.n; i++)
        add_services(names, folders.items[i]);
    tap_names_fini(&folders);
}
