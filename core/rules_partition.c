/*
 * Which partition a region belongs to: by name, else by the partitions' patterns (for regions that
 * are newer than the data), else "aws".
 */
#include <regex.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "model.h"
#include "rules.h"

enum { MAX_PATTERN = 1024 };

/* The data's patterns are JavaScript's; of what POSIX has not, they use only these. */
static void put_as_posix(struct tap_buf *out, const char *pattern)
{
    for (const char *at = pattern; *at; at++) {
        if (*at != '\\' || !at[1])
            tap_buf_putc(out, *at);
        else if (*++at == 'd')
            tap_buf_puts(out, "[0-9]");
        else if (*at == 'w')
            tap_buf_puts(out, "[A-Za-z0-9_]");
        else if (*at == '-')
            tap_buf_putc(out, '-');
        else
            tap_buf_printf(out, "\\%c", *at);
    }
}

static bool matches(const char *region, const char *pattern)
{
    struct tap_buf posix;
    tap_buf_init(&posix, MAX_PATTERN);
    put_as_posix(&posix, pattern);
    regex_t regex;
    bool match = false;
    if (regcomp(&regex, tap_buf_text(&posix), REG_EXTENDED | REG_NOSUB) == 0) {
        match = regexec(&regex, region, 0, NULL, 0) == 0;
        regfree(&regex);
    }
    tap_buf_fini(&posix);
    return match;
}

const json_t *tap_rules_partition(const char *region)
{
    const json_t *partitions = json_object_get(tap_model_part(NULL, "partitions"), "partitions");
    size_t i;
    const json_t *partition, *found = NULL;
    json_array_foreach(partitions, i, partition)
    {
        if (json_object_get(json_object_get(partition, "regions"), region))
            found = partition;
    }
    for (i = 0; !found && i < json_array_size(partitions); i++) {
        partition = json_array_get(partitions, i);
        const char *pattern = json_string_value(json_object_get(partition, "regionRegex"));
        if (pattern && matches(region, pattern))
            found = partition;
    }
    /* the first one is "aws" */
    return json_object_get(found ? found : json_array_get(partitions, 0), "outputs");
}
