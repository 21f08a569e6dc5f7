/*
 * CloudFormation's short forms and YAML's own tags. See yaml_tag.h.
 */
#include "yaml_tag.h"

#include <string.h>

#include "mem.h"
#include "text.h"

/* CloudFormation's short forms: !X is {"Fn::X": ...}, but for the first two. */
static const char *const short_forms[] = {
    "Ref",
    "Condition",
    "Base64",
    "Cidr",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Select",
    "Split",
    "Sub",
    "Transform",
    "And",
    "Equals",
    "Not",
    "Or",
    "Length",
    "ToJsonString",
    "ForEach",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "RefAll",
    "ValueOf",
    "ValueOfAll",
};
enum { N_SHORT_FORMS = sizeof short_forms / sizeof *short_forms, WITHOUT_PREFIX = 2 };

char *tap_yaml_function(const char *tag)
{
    for (size_t i = 0; *tag == '!' && i < N_SHORT_FORMS; i++)
        if (strcmp(short_forms[i], tag + 1) == 0)
            return tap_sprintf("%s%s", i < WITHOUT_PREFIX ? "" : "Fn::", short_forms[i]);
    return NULL;
}

const char *tap_yaml_nearest_short_form(const char *tag)
{
    return tap_nearest(tag + (*tag == '!'), short_forms, N_SHORT_FORMS);
}

json_t *tap_yaml_argument(const char *tag, const char *text, size_t n)
{
    if (strcmp(tag, "!GetAtt") != 0)
        return json_stringn(text, n);
    json_t *parts = json_array();
    const char *dot = memchr(text, '.', n);
    size_t first = dot ? (size_t)(dot - text) : n;
    json_array_append_new(parts, json_stringn(text, first));
    if (dot)
        json_array_append_new(parts, json_stringn(dot + 1, n - first - 1));
    return parts;
}

const char *tap_yaml_standard_tag(const char *tag)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    size_t n = sizeof prefix - 1;
    if (strcmp(tag, "!") == 0)
        return "str";
    return strncmp(tag, prefix, n) == 0 ? tag + n : NULL;
}
