/*
 * Endpoint rules against the rule sets of the specification and against the endpoints that AWS
 * expects of its services, every case a test of its own; and what a caller can rely on beyond them:
 * errors, limits, what a broken rule set does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <string.h>

#include "conformance.h"
#include "core/endpoint_parameters.h"
#include "core/mem.h"
#include "core/model.h"
#include "core/rules.h"
#include "core/url.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the conformance data ---- */

struct rules_case {
    const json_t *rule_set;        /* NULL: of the service's model */
    char *service;                 /* NULL: a rule set of the specification */
    const json_t *params, *expect; /* of the file's tree */
    const json_t *call;            /* NULL, or {operationName, operationParams, builtInParams} */
};

/* Every tree and case that was read, for the time of the program. */
static struct {
    json_t *files;
    struct rules_case **cases;
    size_t n, cap;
} data;

static void check_part(const char *part, const json_t *got, const json_t *expected)
{
    json_t *none = json_object();
    bool same = json_equal(got, expected ? expected : none);
    json_decref(none);
    if (!same) {
        char *text = json_dumps(got, JSON_ENCODE_ANY);
        print_message("got %s\n", text);
        free(text);
        fail_msg("the %s differ", part);
    }
}

static void check_endpoint(const struct tap_rules_endpoint *endpoint, const json_t *expected)
{
    assert_string_equal(endpoint->url, json_string_value(json_object_get(expected, "url")));
    check_part("properties", endpoint->properties, json_object_get(expected, "properties"));
    check_part("headers", endpoint->headers, json_object_get(expected, "headers"));
}

static void check_case(const struct rules_case *one, const json_t *rule_set,
                       const json_t *parameters)
{
    assert_non_null(rule_set);
    struct tap_rules_endpoint endpoint;
    struct tap_error err = {0};
    tap_err code = tap_rules_resolve(&endpoint, rule_set, parameters, &err);
    const char *refusal = json_string_value(json_object_get(one->expect, "error"));
    if (refusal) {
        assert_int_equal(code, TAP_E_USAGE);
        assert_string_equal(err.message, refusal);
        return;
    }
    if (code)
        fail_msg("%s", err.message);
    check_endpoint(&endpoint, json_object_get(one->expect, "endpoint"));
    tap_rules_endpoint_fini(&endpoint);
}

static const struct tap_model *model_of(const struct rules_case *one)
{
    const struct tap_model *model;
    struct tap_error err;
    if (tap_model_load(&model, one->service, &err))
        fail_msg("%s", err.message);
    return model;
}

static void resolves_as_expected(void **state)
{
    const struct rules_case *one = *state;
    check_case(one, one->service ? tap_model_part(model_of(one), "endpoint-rules") : one->rule_set,
               one->params);
}

/* The case's built-ins under the names that the rules have for them. */
static json_t *built_ins(const struct rules_case *one, const json_t *rule_set)
{
    json_t *parameters = json_object();
    const char *name;
    json_t *declared;
    json_object_foreach(json_object_get(rule_set, "parameters"), name, declared)
    {
        const char *builtin = json_string_value(json_object_get(declared, "builtIn"));
        json_t *value =
            builtin ? json_object_get(json_object_get(one->call, "builtInParams"), builtin) : NULL;
        if (value)
            json_object_set(parameters, name, value);
    }
    return parameters;
}

/* The same answer when the parameters are those of a call. */
static void resolves_as_expected_from_the_call(void **state)
{
    const struct rules_case *one = *state;
    const struct tap_model *model = model_of(one);
    const json_t *operation, *rule_set = tap_model_part(model, "endpoint-rules");
    const char *name = json_string_value(json_object_get(one->call, "operationName"));
    assert_int_equal(tap_model_operation(&operation, model, name, NULL), TAP_OK);
    json_t *of_client = built_ins(one, rule_set);
    json_t *parameters = tap_endpoint_call_parameters(
        of_client, model, operation, json_object_get(one->call, "operationParams"));
    check_case(one, rule_set, parameters);
    json_decref(of_client);
    json_decref(parameters);
}

/* A rule set without cases of its own: whatever it answers, it is well-formed. */
static void is_well_formed(void **state)
{
    const struct rules_case *one = *state;
    struct tap_rules_endpoint endpoint;
    struct tap_error err;
    tap_err code = tap_rules_resolve(&endpoint, one->rule_set, NULL, &err);
    if (code == TAP_E_PROTOCOL)
        assert_string_equal(err.name, "NoRuleMatches");
    tap_rules_endpoint_fini(&endpoint);
}

/* Kept by `data`; NULL when it cannot be read. */
static json_t *read_json(const char *folder, const char *name)
{
    char *path = tap_sprintf("%s/%s", folder, name);
    json_t *json = json_load_file(path, 0, NULL);
    tap_free(path);
    if (json)
        json_array_append_new(data.files, json);
    return json;
}

static struct rules_case *new_case(const json_t *rule_set, const char *service)
{
    data.cases = tap_grow(data.cases, data.n, &data.cap, sizeof *data.cases);
    struct rules_case *one = data.cases[data.n++] = tap_alloc(sizeof *one);
    one->rule_set = rule_set;
    one->service = tap_strdup(service);
    return one;
}

/* Its documentation, or what is expected of it: the URL or the error. */
static const char *title_of(const json_t *test_case)
{
    const json_t *expect = json_object_get(test_case, "expect");
    const json_t *titles[] = {
        json_object_get(test_case, "documentation"),
        json_object_get(json_object_get(expect, "endpoint"), "url"),
        json_object_get(expect, "error"),
    };
    for (size_t i = 0; i < COUNT(titles); i++)
        if (json_is_string(titles[i]))
            return json_string_value(titles[i]);
    return "";
}

static void add_cases(struct test_list *list, const char *file, const json_t *test_cases,
                      const json_t *rule_set, const char *service)
{
    size_t i;
    const json_t *test_case;
    json_array_foreach(test_cases, i, test_case)
    {
        struct rules_case *one = new_case(rule_set, service);
        one->params = json_object_get(test_case, "params");
        one->expect = json_object_get(test_case, "expect");
        test_list_add(list, tap_sprintf("%s %zu: %s", file, i + 1, title_of(test_case)),
                      resolves_as_expected, one);
        one->call = json_array_get(json_object_get(test_case, "operationInputs"), 0);
        if (one->call)
            test_list_add(list, tap_sprintf("%s %zu: from its call", file, i + 1),
                          resolves_as_expected_from_the_call, one);
    }
}

static void add_rules_file(struct test_list *list, const char *root, const char *name)
{
    char *sets = tap_sprintf("%s/rules/valid-rules", root);
    char *cases = tap_sprintf("%s/rules/test-cases", root);
    const json_t *rule_set = read_json(sets, name);
    const json_t *file = read_json(cases, name);
    if (file)
        add_cases(list, name, json_object_get(file, "testCases"), rule_set, NULL);
    else
        test_list_add(list, tap_sprintf("%s: is well-formed", name), is_well_formed,
                      new_case(rule_set, NULL));
    tap_free(sets);
    tap_free(cases);
}

static void add_service_file(struct test_list *list, const char *root, const char *name)
{
    char *folder = tap_sprintf("%s/services", root);
    char *service = tap_strndup(name, strlen(name) - strlen(".json"));
    const json_t *file = read_json(folder, name);
    add_cases(list, name, json_object_get(file, "testCases"), NULL, service);
    tap_free(service);
    tap_free(folder);
}

static void add_folder(struct test_list *list, const char *root, const char *folder,
                       void (*add)(struct test_list *, const char *, const char *))
{
    char *path = tap_sprintf("%s/%s", root, folder);
    struct dirent **entries = NULL;
    int found = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        if (strstr(entries[i]->d_name, ".json"))
            add(list, root, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    tap_free(path);
}

static void add_conformance(struct test_list *list)
{
    size_t first = list->n;
    char *root = conformance_path("endpoints");
    data.files = json_array();
    add_folder(list, root, "rules/valid-rules", add_rules_file);
    add_folder(list, root, "services", add_service_file);
    if (list->n == first)
        test_list_add(list, tap_strdup("the endpoint cases"), conformance_is_absent, NULL);
    tap_free(root);
}

static void free_conformance(void)
{
    for (size_t i = 0; i < data.n; i++) {
        tap_free(data.cases[i]->service);
        tap_free(data.cases[i]);
    }
    tap_free(data.cases);
    json_decref(data.files);
}

/* ---- the models that come with the library ---- */

static void check_functions(const char *service, const json_t *value)
{
    const char *key, *name = json_string_value(json_object_get(value, "fn"));
    json_t *inner;
    size_t i;
    if (name && !tap_rules_is_function(name))
        fail_msg("the rules of %s call %s", service, name);
    json_object_foreach((json_t *)value, key, inner) check_functions(service, inner);
    json_array_foreach(value, i, inner) check_functions(service, inner);
}

static void every_service_has_rules_and_every_function_they_call_is_known(void **state)
{
    (void)state;
    size_t n;
    const char **services = tap_model_services(&n);
    assert_true(n > 400);
    for (size_t i = 0; i < n; i++) {
        const struct tap_model *model;
        assert_int_equal(tap_model_load(&model, services[i], NULL), TAP_OK);
        const json_t *rules = tap_model_part(model, "endpoint-rules");
        if (!json_object_get(rules, "rules"))
            fail_msg("%s has no endpoint rules in the form of a tree", services[i]);
        check_functions(services[i], rules);
    }
    tap_free(services);
}

/* ---- rule sets made here ---- */

/* Resolves with single quotes for double ones; "URL", or "CLASS: message". The caller frees it. */
static char *answer(const char *rule_set, const char *parameters)
{
    char *texts[] = {tap_strdup(rule_set), tap_strdup(parameters)};
    json_t *values[2];
    for (int i = 0; i < 2; i++) {
        for (char *c = texts[i]; *c; c++)
            if (*c == '\'')
                *c = '"';
        values[i] = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_non_null(values[i]);
        tap_free(texts[i]);
    }
    struct tap_rules_endpoint endpoint;
    struct tap_error err;
    char *text = tap_rules_resolve(&endpoint, values[0], values[1], &err)
                     ? tap_sprintf("%s %s: %s", tap_error_class(err.code), err.name, err.message)
                     : tap_strdup(endpoint.url);
    tap_rules_endpoint_fini(&endpoint);
    json_decref(values[0]);
    json_decref(values[1]);
    return text;
}

static void check(const char *rule_set, const char *parameters, const char *expected)
{
    char *text = answer(rule_set, parameters);
    if (!strstr(text, expected))
        fail_msg("'%s' does not say '%s'", text, expected);
    tap_free(text);
}

/* One endpoint rule whose URL is `url`, after conditions, with the parameters A (text), B (boolean)
 * and L (list of texts). */
static void check_rule(const char *conditions, const char *url, const char *parameters,
                       const char *expected)
{
    char *set = tap_sprintf("{'parameters':{'A':{'type':'string'},'B':{'type':'Boolean'},"
                            "'L':{'type':'stringArray'}},'rules':[{'conditions':[%s],"
                            "'endpoint':{'url':%s}},{'conditions':[],'error':'no'}]}",
                            conditions, url);
    check(set, parameters, expected);
    tap_free(set);
}

static void templates_take_variables_paths_and_doubled_braces(void **state)
{
    (void)state;
    check_rule("", "'x{A}y{A}'", "{'A':'1'}", "x1y1");
    check_rule("", "'{{{A}}}'", "{'A':'1'}", "{1}");
    check_rule("", "{'ref':'A'}", "{'A':'{A}'}", "{A}");
    check_rule("{'fn':'parseURL','argv':['{A}'],'assign':'u'}", "'{u#authority}'",
               "{'A':'https://h:1/p'}", "h:1");
    check_rule("", "'{A'", "{'A':'1'}", "protocol BrokenRules");
    check_rule("", "'A}'", "{'A':'1'}", "protocol BrokenRules");
    check_rule("", "'{A}'", "{}", "protocol BrokenRules");
    check_rule("", "'{Nowhere}'", "{}", "protocol BrokenRules");
    check_rule("", "'{A#x}'", "{'A':'1'}", "protocol BrokenRules");
}

static void attributes_are_found_by_path_and_index(void **state)
{
    (void)state;
    static const char get[] = "{'fn':'isSet','argv':[{'ref':'L'}]},"
                              "{'fn':'getAttr','argv':[{'ref':'L'},'%s'],'assign':'x'}";
    static const char *const rows[][2] = {
        {"[0]", "one"}, {"[1]", "two"}, {"[2]", "no"},  {"[]", "no"}, {"[-1]", "no"},
        {"[0", "no"},   {"[0]x", "no"}, {"a[0]", "no"}, {"", "no"},   {"[99999999999999999]", "no"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *conditions = tap_sprintf(get, rows[i][0]);
        check_rule(conditions, i < 2 ? "'{x}'" : "'found'", "{'L':['one','two']}",
                   i == 8 ? "found" : rows[i][1]);
        tap_free(conditions);
    }
}

static void names_last_as_long_as_their_rule(void **state)
{
    (void)state;
    check("{'parameters':{},'rules':[{'conditions':[{'fn':'substring','argv':['abc',0,1,false],"
          "'assign':'x'},{'fn':'not','argv':[true]}],'error':'never'},"
          "{'conditions':[],'error':'{x}'}]}",
          "{}", "protocol BrokenRules");
    check("{'parameters':{},'rules':[{'conditions':[{'fn':'substring','argv':['abc',0,1,false],"
          "'assign':'x'}],'rules':[{'conditions':[],'error':'<{x}>'}]}]}",
          "{}", "usage NoEndpoint: <a>");
}

static void a_tree_rule_that_was_entered_is_not_left_again(void **state)
{
    (void)state;
    check("{'parameters':{},'rules':[{'conditions':[],'rules':[{'conditions':[{'fn':'not',"
          "'argv':[true]}],'error':'inner'}]},{'conditions':[],'error':'after'}]}",
          "{}", "protocol NoRuleMatches");
    check("{'parameters':{},'rules':[]}", "{}", "protocol NoRuleMatches");
    check("{}", "{}", "protocol NoRuleMatches");
}

static void parameters_are_checked_by_type_and_need(void **state)
{
    (void)state;
    static const char set[] =
        "{'parameters':{'Must':{'type':'string','required':true},'Flag':{'type':'Boolean',"
        "'required':true,'default':false},'List':{'type':'stringArray'}},'rules':[{'conditions':["
        "{'fn':'booleanEquals','argv':[{'ref':'Flag'},true]}],'error':'flag'},"
        "{'conditions':[],'endpoint':{'url':'https://{Must}'}}]}";
    check(set, "{'Must':'m'}", "https://m");
    check(set, "{'Must':'m','Flag':true}", "usage NoEndpoint: flag");
    check(set, "{'Must':'m','Flag':null,'Other':7}", "https://m");
    check(set, "{}", "usage InvalidEndpointParameter: the endpoint parameter Must is missing");
    check(set, "{'Must':7}", "the endpoint parameter Must must be a string");
    check(set, "{'Must':'m','Flag':'true'}", "the endpoint parameter Flag must be a Boolean");
    check(set, "{'Must':'m','List':'a'}", "the endpoint parameter List must be a stringArray");
    check(set, "null", "the endpoint parameter Must is missing");
}

static void a_broken_rule_set_is_told_and_not_followed(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "{'fn':'explode','argv':[]}",
        "{'fn':'not','argv':[]}",
        "{'fn':'not','argv':['text']}",
        "{'fn':'stringEquals','argv':['a',{'ref':'A'}]}",
        "{'fn':'substring','argv':['abc','0',1,false]}",
        "{'fn':'isSet','argv':[{'ref':'Nothing'}]}",
        "{'fn':'isSet','argv':[{}]}",
        "{'argv':[]}",
        "{'fn':7}",
    };
    for (size_t i = 0; i < COUNT(conditions); i++)
        check_rule(conditions[i], "'found'", "{}", "protocol BrokenRules");
    check_rule("", "7", "{}", "protocol BrokenRules");
    check("{'rules':[{'endpoint':{'url':'https://h','properties':{'a':['{b}']}}}]}", "{}",
          "protocol BrokenRules");
    check("{'rules':[{'endpoint':{}}]}", "{}", "protocol BrokenRules");
    check("{'rules':[{'error':{}}]}", "{}", "protocol BrokenRules");
}

static void rules_too_deep_too_many_or_too_long_end(void **state)
{
    (void)state;
    json_t *deep = json_pack("[{s:[], s:s}]", "conditions", "error", "bottom");
    for (int i = 0; i < TAP_RULES_MAX_DEPTH; i++)
        deep = json_pack("[{s:[], s:o}]", "conditions", "rules", deep);
    json_t *many = json_array();
    for (int i = 0; i <= TAP_RULES_MAX_STEPS; i++)
        json_array_append_new(many, json_pack("{s:[b]}", "conditions", 0));
    char *name = tap_alloc(TAP_RULES_MAX_TEXT);
    memset(name, 'x', TAP_RULES_MAX_TEXT - 1);
    json_t *long_text = json_pack("[{s:s}]", "error", "{A}{A}");
    json_t *sets[] = {deep, many, long_text};
    for (size_t i = 0; i < COUNT(sets); i++) {
        json_t *set =
            json_pack("{s:{s:{s:s}}, s:o}", "parameters", "A", "type", "string", "rules", sets[i]);
        json_t *parameters = json_pack("{s:s}", "A", name);
        struct tap_rules_endpoint endpoint;
        struct tap_error err;
        assert_int_equal(tap_rules_resolve(&endpoint, set, parameters, &err), TAP_E_LIMIT);
        assert_string_equal(err.name, "RulesTooLarge");
        json_decref(set);
        json_decref(parameters);
    }
    tap_free(name);
}

static void a_resolution_leaves_the_rule_set_as_it_was(void **state)
{
    (void)state;
    const struct tap_model *model;
    assert_int_equal(tap_model_load(&model, "s3", NULL), TAP_OK);
    const json_t *rules = tap_model_part(model, "endpoint-rules");
    json_t *before = json_deep_copy(rules);
    json_t *parameters = json_pack("{s:s, s:s}", "Region", "eu-west-1", "Bucket", "my-bucket");
    for (int i = 0; i < 3; i++) {
        struct tap_rules_endpoint endpoint;
        struct tap_error err;
        assert_int_equal(tap_rules_resolve(&endpoint, rules, parameters, &err), TAP_OK);
        assert_string_equal(endpoint.url, "https://my-bucket.s3.eu-west-1.amazonaws.com");
        tap_rules_endpoint_fini(&endpoint);
    }
    assert_true(json_equal(rules, before));
    json_decref(before);
    json_decref(parameters);
}

/* ---- partitions and addresses ---- */

static void a_regions_partition_is_found_by_name_then_by_pattern(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"eu-west-1", "aws"},
        {"aws-global", "aws"},
        {"xx-west-1", "aws"},
        {"", "aws"},
        {"cn-north-1", "aws-cn"},
        {"cn-far-9", "aws-cn"},
        {"us-gov-west-1", "aws-us-gov"},
        {"us-gov-north-7", "aws-us-gov"},
        {"us-iso-east-1", "aws-iso"},
        {"us-isob-east-9", "aws-iso-b"},
        {"eusc-de-west-3", "aws-eusc"},
        {"cn-north-1x", "aws"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(
            json_string_value(json_object_get(tap_rules_partition(rows[i][0]), "name")),
            rows[i][1]);
}

static void an_address_is_split_into_its_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *scheme, *authority, *path;
        size_t host_n;
        bool is_ip;
    } rows[] = {
        {"http://h", "http", "h", "", 1, false},
        {"https://a.b-c_d:80/x/", "https", "a.b-c_d:80", "/x/", 7, false},
        {"http://127.0.0.1:4566/", "http", "127.0.0.1:4566", "/", 9, true},
        {"http://[::1]", "http", "[::1]", "", 5, true},
        {"http://[::1]:1", "http", "[::1]:1", "", 5, true},
        {"http://1.2.3", "http", "1.2.3", "", 5, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tap_url url;
        assert_null(tap_url_split(&url, rows[i].text));
        assert_string_equal(url.scheme, rows[i].scheme);
        assert_int_equal(url.authority_n, strlen(rows[i].authority));
        assert_memory_equal(url.authority, rows[i].authority, url.authority_n);
        assert_string_equal(url.path, rows[i].path);
        assert_int_equal(url.host_n, rows[i].host_n);
        assert_int_equal(url.is_ip, rows[i].is_ip);
    }
}

static void what_is_no_endpoints_address_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "h",
        "ftp://h",
        "HTTP//h",
        "http:/h",
        "http://",
        "http:///p",
        "http://h?q",
        "http://h/#f",
        "http://u@h",
        "http://u:p@h",
        "http://h:",
        "http://h:x",
        "http://:80",
        "http://h:1:2",
        "http://h:65536",
        "http://[::1",
        "http://[x]",
        "http://[::1]x",
        "http://a b",
        "http://h/a b",
        "http://h/\n",
        "http://\xC3\xA9",
        "http://h/\xC3\xA9",
        "http://h\\x",
        "http://h%41",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct tap_url url;
        if (!tap_url_split(&url, texts[i]))
            fail_msg("'%s' was taken", texts[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(every_service_has_rules_and_every_function_they_call_is_known),
        cmocka_unit_test(templates_take_variables_paths_and_doubled_braces),
        cmocka_unit_test(attributes_are_found_by_path_and_index),
        cmocka_unit_test(names_last_as_long_as_their_rule),
        cmocka_unit_test(a_tree_rule_that_was_entered_is_not_left_again),
        cmocka_unit_test(parameters_are_checked_by_type_and_need),
        cmocka_unit_test(a_broken_rule_set_is_told_and_not_followed),
        cmocka_unit_test(rules_too_deep_too_many_or_too_long_end),
        cmocka_unit_test(a_resolution_leaves_the_rule_set_as_it_was),
        cmocka_unit_test(a_regions_partition_is_found_by_name_then_by_pattern),
        cmocka_unit_test(an_address_is_split_into_its_parts),
        cmocka_unit_test(what_is_no_endpoints_address_is_refused),
    };
    struct test_list list = {0};
    for (size_t i = 0; i < COUNT(own); i++)
        test_list_add(&list, tap_strdup(own[i].name), own[i].test_func, NULL);
    add_conformance(&list);
    int failed = test_list_run(&list, "rules");
    free_conformance();
    tap_model_unload_all();
    return failed;
}
