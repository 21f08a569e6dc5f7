/*
 * What a caller can rely on when it asks for a service: every embedded model is whole, operations
 * are found however they are spelled, and models of the user's own come first and are refused
 * clearly when they are broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/assets.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/model.h"
#include "core/text.h"

static char root[64]; /* a folder of this test's own: its HOME */

static const struct tap_model *load(const char *service)
{
    const struct tap_model *model;
    struct tap_error err;
    if (tap_model_load(&model, service, &err))
        fail_msg("%s: %s:%u:%u: %s", service, err.file, err.line, err.column, err.message);
    return model;
}

static const json_t *operation(const struct tap_model *model, const char *name)
{
    const json_t *found;
    struct tap_error err;
    if (tap_model_operation(&found, model, name, &err))
        fail_msg("%s: %s", name, err.message);
    return found;
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- files of a user ---- */

static void make_folders(const char *path)
{
    char *copy = tap_strdup(path);
    for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(copy, 0700);
        *slash = '/';
    }
    tap_free(copy);
}

/* `relative` is below the test's HOME. */
static void write_file(const char *relative, const char *content)
{
    char *path = tap_sprintf("%s/%s", root, relative);
    make_folders(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    tap_free(path);
}

static void set_data_path(const char *text)
{
    tap_model_unload_all();
    setenv("AWS_DATA_PATH", text, 1);
}

/* A model with one operation; `version` tells the models apart. */
static void write_model(const char *relative, const char *version)
{
    char *content =
        tap_sprintf("{\"metadata\": {\"protocol\": \"json\", \"apiVersion\": \"%s\"},\n"
                    " \"operations\": {\"Ping\": {\"name\": \"Ping\",\n"
                    "  \"http\": {\"method\": \"POST\", \"requestUri\": \"/\"},\n"
                    "  \"input\": {\"shape\": \"In\"}}},\n"
                    " \"shapes\": {\"In\": {\"type\": \"structure\", \"members\": {}}}}\n",
                    version);
    write_file(relative, content);
    tap_free(content);
}

static void check_version(const char *service, const char *version)
{
    assert_string_equal(text_at(tap_model_metadata(load(service)), "apiVersion"), version);
}

/* The service's service-2.json has `content`; loading it fails at this place. */
static void check_broken(const char *content, unsigned line, unsigned column, const char *says)
{
    write_file("broken/thing/2020-01-01/service-2.json", content);
    tap_model_unload_all();
    const struct tap_model *model;
    struct tap_error err;
    assert_int_equal(tap_model_load(&model, "thing", &err), TAP_E_PARSE);
    assert_null(model);
    assert_non_null(strstr(err.file, "broken/thing/2020-01-01/service-2.json"));
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

/* ---- every embedded model ---- */

struct walk {
    const struct tap_model *model;
    json_t *seen; /* shape's name -> true */
};

static void walk_shape(struct walk *walk, const char *where, const json_t *reference);

static void walk_members(struct walk *walk, const char *name, const json_t *shape)
{
    static const char *const inner[] = {"member", "key", "value"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (json_object_get(shape, inner[i]))
            walk_shape(walk, name, json_object_get(shape, inner[i]));
    const char *key;
    json_t *member;
    json_object_foreach(json_object_get(shape, "members"), key, member)
    {
        walk_shape(walk, name, member);
    }
}

static void walk_shape(struct walk *walk, const char *where, const json_t *reference)
{
    const char *name = text_at(reference, "shape");
    assert_non_null(name);
    if (json_object_get(walk->seen, name))
        return;
    json_object_set_new(walk->seen, name, json_true());
    const json_t *shape = tap_model_shape(walk->model, name);
    if (!shape || !text_at(shape, "type"))
        fail_msg("%s: %s refers to %s", tap_model_service(walk->model), where, name);
    walk_members(walk, name, shape);
}

static void walk_operation(struct walk *walk, const char *name)
{
    const json_t *op = operation(walk->model, name);
    assert_string_equal(text_at(op, "name"), name);
    assert_non_null(text_at(json_object_get(op, "http"), "method"));
    assert_non_null(text_at(json_object_get(op, "http"), "requestUri"));
    if (json_object_get(op, "input"))
        walk_shape(walk, name, json_object_get(op, "input"));
    if (json_object_get(op, "output"))
        walk_shape(walk, name, json_object_get(op, "output"));
    size_t i;
    json_t *error;
    json_array_foreach(json_object_get(op, "errors"), i, error)
    {
        walk_shape(walk, name, error);
    }
}

static void walk_parts(const struct tap_model *model)
{
    const char *name;
    json_t *part;
    json_object_foreach((json_t *)tap_model_part(model, "waiters"), name, part)
    {
        assert_non_null(operation(model, text_at(part, "operation")));
        assert_true(json_is_array(json_object_get(part, "acceptors")));
    }
    json_object_foreach((json_t *)tap_model_part(model, "paginators"), name, part)
    {
        assert_non_null(operation(model, name));
        assert_non_null(json_object_get(part, "input_token"));
    }
    const json_t *rules = tap_model_part(model, "endpoint-rules");
    assert_true(json_is_object(json_object_get(rules, "parameters")));
    assert_true(json_is_array(json_object_get(rules, "rules")));
}

static void every_embedded_model_is_whole(void **state)
{
    (void)state;
    static const char *const facts[] = {"protocol", "apiVersion", "endpointPrefix", "serviceId",
                                        "signatureVersion"};
    size_t n, n_operations;
    const char **services = tap_model_services(&n);
    assert_true(n > 400);
    for (size_t i = 0; i < n; i++) {
        struct walk walk = {load(services[i]), json_object()};
        for (size_t k = 0; k < sizeof facts / sizeof *facts; k++)
            assert_non_null(text_at(tap_model_metadata(walk.model), facts[k]));
        const char *const *names = tap_model_operations(walk.model, &n_operations);
        assert_true(n_operations > 0);
        for (size_t k = 0; k < n_operations; k++)
            walk_operation(&walk, names[k]);
        walk_parts(walk.model);
        json_decref(walk.seen);
        tap_model_unload_all();
    }
    tap_free(services);
}

static void no_two_operations_of_a_service_share_a_spelling(void **state)
{
    (void)state;
    size_t n, n_operations;
    const char **services = tap_model_services(&n);
    for (size_t i = 0; i < n; i++) {
        const char *const *names = tap_model_operations(load(services[i]), &n_operations);
        for (size_t a = 0; a < n_operations; a++)
            for (size_t b = a + 1; b < n_operations; b++)
                if (tap_same_name(names[a], names[b]))
                    fail_msg("%s: %s and %s", services[i], names[a], names[b]);
        tap_model_unload_all();
    }
    tap_free(services);
}

/* ---- looking things up ---- */

static void services_are_listed_sorted_and_once(void **state)
{
    (void)state;
    write_model("listed/zz-private/2020-01-01/service-2.json", "1");
    write_model("listed/sts/2020-01-01/service-2.json", "1");
    write_model("listed/.hidden/2020-01-01/service-2.json", "1");
    set_data_path("~/listed");
    size_t n;
    const char **services = tap_model_services(&n);
    for (size_t i = 1; i < n; i++)
        assert_true(strcmp(services[i - 1], services[i]) < 0);
    assert_string_equal(services[n - 1], "zz-private");
    assert_true(strcmp(services[0], "accessanalyzer") == 0);
    tap_free(services);
    set_data_path("");
}

static void an_operation_is_found_by_any_spelling(void **state)
{
    (void)state;
    const struct tap_model *cfn = load("cloudformation");
    const json_t *op = operation(cfn, "DescribeStacks");
    assert_string_equal(text_at(op, "name"), "DescribeStacks");
    assert_ptr_equal(operation(cfn, "describe_stacks"), op);
    assert_ptr_equal(operation(cfn, "describe-stacks"), op);
    assert_ptr_equal(operation(load("rds"), "create_db_instance"),
                     operation(load("rds"), "CreateDBInstance"));
}

static void an_operation_has_the_name_that_people_use(void **state)
{
    (void)state;
    const json_t *op = operation(load("cloudfront"), "create_distribution");
    assert_string_equal(text_at(op, "name"), "CreateDistribution");
}

static void a_misspelt_name_is_an_error_that_names_the_nearest(void **state)
{
    (void)state;
    struct tap_error err;
    const struct tap_model *model;
    const json_t *op;
    assert_int_equal(tap_model_load(&model, "cloudformatoin", &err), TAP_E_USAGE);
    assert_string_equal(err.name, "UnknownService");
    assert_non_null(strstr(err.message, "did you mean \"cloudformation\"?"));
    assert_int_equal(tap_model_load(&model, "xyzzyxyzzyxyzzy", &err), TAP_E_USAGE);
    assert_null(strstr(err.message, "did you mean"));
    assert_int_equal(tap_model_operation(&op, load("sts"), "get_caller_identiti", &err),
                     TAP_E_USAGE);
    assert_string_equal(err.name, "UnknownOperation");
    assert_string_equal(err.service, "sts");
    assert_non_null(strstr(err.message, "did you mean \"GetCallerIdentity\"?"));
    assert_null(op);
}

static void a_name_that_is_a_path_is_no_service(void **state)
{
    (void)state;
    write_model("outside/2020-01-01/service-2.json", "1");
    write_model("data/inside/2020-01-01/service-2.json", "1");
    set_data_path("~/data");
    static const char *const names[] = {"../outside",       "", ".", "..", "inside/", "partitions",
                                        "../aws-models/sts"};
    const struct tap_model *model;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(tap_model_load(&model, names[i], NULL), TAP_E_USAGE);
    check_version("inside", "1");
    set_data_path("");
}

static void members_keep_their_order_and_only_texts_are_dropped(void **state)
{
    (void)state;
    static const char *const first[] = {"StackName", "TemplateBody", "TemplateURL", "Parameters"};
    const json_t *input = tap_model_shape(load("cloudformation"), "CreateStackInput");
    json_t *members = json_object_get(input, "members");
    void *at = json_object_iter(members);
    for (size_t i = 0; i < 4; i++, at = json_object_iter_next(members, at))
        assert_string_equal(json_object_iter_key(at), first[i]);
    assert_null(json_object_get(input, "documentation"));
    /* A member may have the name of a key that is dropped elsewhere. */
    const json_t *workload = tap_model_shape(load("launch-wizard"), "WorkloadData");
    assert_non_null(json_object_get(json_object_get(workload, "members"), "documentationUrl"));
}

static void what_a_model_does_not_have_is_null(void **state)
{
    (void)state;
    assert_null(tap_model_shape(load("sts"), "NoSuchShape"));
    assert_null(tap_model_shape(load("sts"), "getcalleridentityrequest"));
    assert_null(tap_model_part(load("sts"), "waiters"));
    assert_null(tap_model_part(load("sts"), "client-context-params"));
    assert_null(tap_model_part(load("sts"), "no-such-part"));
    assert_non_null(tap_model_part(load("s3"), "client-context-params"));
}

static void partitions_are_there_without_a_model(void **state)
{
    (void)state;
    json_t *list = json_object_get(tap_model_part(NULL, "partitions"), "partitions");
    const json_t *aws = json_array_get(list, 0);
    assert_string_equal(text_at(aws, "id"), "aws");
    assert_non_null(json_object_get(json_object_get(aws, "regions"), "us-east-1"));
    assert_string_equal(text_at(json_object_get(aws, "outputs"), "dnsSuffix"), "amazonaws.com");
}

/* ---- models of the user's own ---- */

static void a_users_model_wins_and_the_newest_of_a_folder(void **state)
{
    (void)state;
    write_model(".aws/models/sts/2001-01-01/service-2.json", "home");
    tap_model_unload_all();
    check_version("sts", "home");
    write_model("first/sts/2019-01-01/service-2.json", "older");
    write_model("first/sts/2020-01-01/service-2.json", "newer");
    write_file("first/sts/2021-01-01/notes.txt", "no model here");
    write_model("second/sts/2022-01-01/service-2.json", "second");
    char *path = tap_sprintf("/nonexistent::%s/first:~/second", root);
    set_data_path(path);
    tap_free(path);
    check_version("sts", "newer");
    set_data_path("");
    char *file = tap_sprintf("%s/.aws/models/sts/2001-01-01/service-2.json", root);
    remove(file);
    tap_free(file);
    tap_model_unload_all();
    check_version("sts", "2011-06-15");
}

static void parts_that_a_user_leaves_out_are_the_embedded_ones(void **state)
{
    (void)state;
    write_model("parts/dynamodb/2030-01-01/service-2.json", "mine");
    write_file("parts/dynamodb/2030-01-01/waiters-2.json",
               "{\"version\": 2, \"waiters\": {\"Pinged\": {\"operation\": \"Ping\"}}}");
    set_data_path("~/parts");
    const struct tap_model *model = load("dynamodb");
    const json_t *waiters = tap_model_part(model, "waiters");
    assert_int_equal(json_object_size(waiters), 1);
    assert_string_equal(text_at(json_object_get(waiters, "Pinged"), "operation"), "Ping");
    assert_non_null(json_object_get(tap_model_part(model, "paginators"), "ListTables"));
    assert_non_null(json_object_get(tap_model_part(model, "endpoint-rules"), "rules"));
    set_data_path("");
}

static void a_broken_user_model_is_reported_with_its_place(void **state)
{
    (void)state;
    set_data_path("~/broken");
    check_broken("{\n  \"metadata\": {,}\n}", 2, 16, "");
    check_broken("[]", 1, 1, "the model must be an object");
    check_broken("{\"metadata\": {}}", 1, 1, "must have \"metadata\" with a string \"protocol\"");
    check_broken("{\"metadata\": {\"protocol\": \"json\"},\n \"shapes\": []}", 2, 12,
                 "shapes must be an object");
    check_broken("{\"metadata\": {\"protocol\": \"json\"},\n \"shapes\": {\n  \"L\": {\n"
                 "   \"type\": \"list\",\n   \"member\": {\"shape\": \"Gone\"}}}}",
                 5, 14, "shapes.L.member refers to a shape that the model does not have: Gone");
    check_broken(
        "{\"metadata\": {\"protocol\": \"json\"}, \"shapes\": {\n \"M\": {\"type\": \"map\"}}}", 2,
        7, "shapes.M must have key");
    check_broken(
        "{\"metadata\": {\"protocol\": \"json\"}, \"shapes\": {},\n \"operations\": {\"Op\":\n"
        "  {\"http\": {\"method\": \"GET\", \"requestUri\": \"/\"},\n"
        "   \"errors\": [{\"shape\": \"Gone\"}]}}}",
        4, 15, "operations.Op.errors[0] refers to a shape");
    set_data_path("");
}

static void a_broken_part_is_reported_with_its_place(void **state)
{
    (void)state;
    write_model("badpart/thing/2020-01-01/service-2.json", "1");
    write_file("badpart/thing/2020-01-01/waiters-2.json", "{\"waiters\":\n {\"W\": 3}}");
    set_data_path("~/badpart");
    const struct tap_model *model;
    struct tap_error err;
    assert_int_equal(tap_model_load(&model, "thing", &err), TAP_E_PARSE);
    assert_non_null(strstr(err.file, "waiters-2.json"));
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 8);
    set_data_path("");
}

static void a_model_can_be_made_from_json(void **state)
{
    (void)state;
    json_t *json = json_pack("{s{ss} s{s{ss s{s{ss}}} s{ss}}}", "metadata", "protocol", "query",
                             "shapes", "In", "type", "structure", "members", "A", "shape", "Str",
                             "Str", "type", "string");
    struct tap_model *model;
    assert_int_equal(tap_model_from_json(&model, "mine", json, NULL), TAP_OK);
    json_decref(json); /* it was copied */
    assert_string_equal(tap_model_service(model), "mine");
    assert_string_equal(text_at(tap_model_metadata(model), "protocol"), "query");
    assert_string_equal(text_at(tap_model_shape(model, "Str"), "type"), "string");
    size_t n;
    tap_model_operations(model, &n);
    assert_int_equal(n, 0);
    tap_model_free(model);

    struct tap_error err;
    json = json_pack("{s{ss} s{s{ss s{s{ss}}}}}", "metadata", "protocol", "query", "shapes", "In",
                     "type", "structure", "members", "A", "shape", "Str");
    assert_int_equal(tap_model_from_json(&model, "mine", json, &err), TAP_E_PARSE);
    assert_non_null(strstr(err.message, "shapes.In.members.A refers to a shape"));
    assert_null(model);
    json_decref(json);
}

static void assets_are_found_by_their_path_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < tap_model_assets.n; i++) {
        const struct tap_asset *asset = &tap_model_assets.items[i];
        assert_ptr_equal(tap_asset_find(&tap_model_assets, asset->path), asset);
        assert_int_equal(asset->data[asset->size], 0);
    }
    assert_null(tap_asset_find(&tap_model_assets, "aws-models/no-such.z"));
    assert_null(tap_asset_find(&tap_model_assets, ""));
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_model.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    setenv("HOME", root, 1);
    unsetenv("AWS_DATA_PATH");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tap_model_unload_all();
    char *command = tap_sprintf("rm -rf '%s'", root);
    int status = system(command);
    tap_free(command);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_embedded_model_is_whole),
        cmocka_unit_test(no_two_operations_of_a_service_share_a_spelling),
        cmocka_unit_test(services_are_listed_sorted_and_once),
        cmocka_unit_test(an_operation_is_found_by_any_spelling),
        cmocka_unit_test(an_operation_has_the_name_that_people_use),
        cmocka_unit_test(a_misspelt_name_is_an_error_that_names_the_nearest),
        cmocka_unit_test(a_name_that_is_a_path_is_no_service),
        cmocka_unit_test(members_keep_their_order_and_only_texts_are_dropped),
        cmocka_unit_test(what_a_model_does_not_have_is_null),
        cmocka_unit_test(partitions_are_there_without_a_model),
        cmocka_unit_test(a_users_model_wins_and_the_newest_of_a_folder),
        cmocka_unit_test(parts_that_a_user_leaves_out_are_the_embedded_ones),
        cmocka_unit_test(a_broken_user_model_is_reported_with_its_place),
        cmocka_unit_test(a_broken_part_is_reported_with_its_place),
        cmocka_unit_test(a_model_can_be_made_from_json),
        cmocka_unit_test(assets_are_found_by_their_path_only),
    };
    return cmocka_run_group_tests_name("model", tests, set_up, tear_down);
}
