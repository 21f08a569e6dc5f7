/*
 * Input is checked before it is sent: every mistake is told, each with its path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/protocol.h"

#define HTTP "\"http\": {\"method\": \"POST\", \"requestUri\": \"/\"}"

static const char service[] =
    "{\"metadata\": {\"protocol\": \"query\", \"apiVersion\": \"1\"},"
    " \"operations\": {"
    "  \"CreateStack\": {\"name\": \"CreateStack\", " HTTP ", \"input\": {\"shape\": \"Input\"}},"
    "  \"ListAll\": {\"name\": \"ListAll\", " HTTP "}},"
    " \"shapes\": {"
    "  \"Input\": {\"type\": \"structure\", \"required\": [\"StackName\"], \"members\": {"
    "    \"StackName\": {\"shape\": \"Name\"}, \"TimeoutInMinutes\": {\"shape\": \"Minutes\"},"
    "    \"Parameters\": {\"shape\": \"Parameters\"}, \"DisableRollback\": {\"shape\": \"Bool\"},"
    "    \"Rate\": {\"shape\": \"Float\"}, \"Size\": {\"shape\": \"Long\"},"
    "    \"When\": {\"shape\": \"Time\"}, \"Data\": {\"shape\": \"Blob\"},"
    "    \"Labels\": {\"shape\": \"Map\"}, \"Choice\": {\"shape\": \"Choice\"},"
    "    \"Anything\": {\"shape\": \"Anything\"}}},"
    "  \"Parameters\": {\"type\": \"list\", \"min\": 1, \"member\": {\"shape\": \"Parameter\"}},"
    "  \"Parameter\": {\"type\": \"structure\", \"required\": [\"ParameterKey\"], \"members\": {"
    "    \"ParameterKey\": {\"shape\": \"Text\"}, \"ParameterValue\": {\"shape\": \"Text\"}}},"
    "  \"Choice\": {\"type\": \"structure\", \"union\": true, \"members\": {"
    "    \"A\": {\"shape\": \"Text\"}, \"B\": {\"shape\": \"Text\"}}},"
    "  \"Anything\": {\"type\": \"structure\", \"document\": true, \"members\": {}},"
    "  \"Map\": {\"type\": \"map\", \"key\": {\"shape\": \"Text\"}, \"value\": {\"shape\": "
    "\"Text\"}},"
    "  \"Name\": {\"type\": \"string\", \"min\": 1, \"enum\": [\"known\"]},"
    "  \"Minutes\": {\"type\": \"integer\", \"min\": 1},"
    "  \"Text\": {\"type\": \"string\"}, \"Bool\": {\"type\": \"boolean\"},"
    "  \"Float\": {\"type\": \"double\"}, \"Long\": {\"type\": \"long\"},"
    "  \"Time\": {\"type\": \"timestamp\"}, \"Blob\": {\"type\": \"blob\"}}}";

static struct tap_model *model;

static json_t *parse(const char *text)
{
    json_t *value = NULL;
    struct tap_error err;
    if (tap_json_parse(&value, text, strlen(text), NULL, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.message);
    return value;
}

static int load_model(void **state)
{
    (void)state;
    struct tap_error err;
    json_t *json = parse(service);
    tap_err code = tap_model_from_json(&model, "cloudformation", json, &err);
    json_decref(json);
    if (code)
        print_error("%s\n", err.message);
    return code;
}

static int drop_model(void **state)
{
    (void)state;
    tap_model_free(model);
    return 0;
}

/* `findings` is the whole message; NULL: the input is good. */
static void check(const char *name, const char *input, const char *findings)
{
    const json_t *operation = NULL;
    struct tap_error err;
    json_t *value = input ? parse(input) : NULL;
    assert_int_equal(tap_model_operation(&operation, model, name, &err), TAP_OK);
    tap_err code = tap_validate_input(model, operation, value, &err);
    json_decref(value);
    if (!findings) {
        if (code)
            fail_msg("%s: %s", input, err.message);
        return;
    }
    assert_int_equal(code, TAP_E_USAGE);
    assert_string_equal(err.message, findings);
    assert_string_equal(err.name, "InvalidInput");
    assert_string_equal(err.service, "cloudformation");
    assert_string_equal(err.operation, name);
}

static void good_input_passes(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"StackName\": \"s\"}",
        "{\"StackName\": \"not in the enum\"}",
        "{\"StackName\": \"s\", \"TimeoutInMinutes\": 30, \"DisableRollback\": false}",
        "{\"StackName\": \"s\", \"TimeoutInMinutes\": 30.0, \"Size\": 9000000000}",
        "{\"StackName\": \"s\", \"TimeoutInMinutes\": null, \"Parameters\": null}",
        "{\"StackName\": \"s\", \"Parameters\": [{\"ParameterKey\": \"k\"}]}",
        "{\"StackName\": \"s\", \"Rate\": 1, \"Labels\": {}, \"Data\": \"AP8=\"}",
        "{\"StackName\": \"s\", \"Rate\": \"NaN\", \"When\": 1767225600.5}",
        "{\"StackName\": \"s\", \"When\": \"2026-01-01T00:00:00Z\", \"Choice\": {\"B\": \"x\"}}",
        "{\"StackName\": \"s\", \"Anything\": {\"goes\": [1, null]}}",
        "{\"StackName\": \"s\", \"Anything\": \"a text, too\"}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check("CreateStack", good[i], NULL);
    check("ListAll", "{}", NULL);
    check("ListAll", NULL, NULL);
}

static const struct {
    const char *input, *findings;
} bad[] = {
    {NULL, "StackName: required, and missing"},
    {"{\"StackName\": null}", "StackName: required, and missing"},
    {"[]", "must be an object, not a list"},
    {"{\"StackName\": \"\"}", "StackName: must have at least 1 character"},
    {"{\"StackName\": 5}", "StackName: must be a string, not a number"},
    {"{\"StackName\": \"s\", \"DisableRollback\": \"true\"}",
     "DisableRollback: must be a boolean, not a string"},
    {"{\"StackName\": \"s\", \"TimeoutInMinutes\": 0}", "TimeoutInMinutes: must be 1 or more"},
    {"{\"StackName\": \"s\", \"TimeoutInMinutes\": 1.5}",
     "TimeoutInMinutes: must be an integer, not a fraction"},
    {"{\"StackName\": \"s\", \"TimeoutInMinutes\": \"5\"}",
     "TimeoutInMinutes: must be an integer, not a string"},
    {"{\"StackName\": \"s\", \"TimeoutInMinutes\": 3000000000}",
     "TimeoutInMinutes: must be an integer of 32 bits, not one that is larger"},
    {"{\"StackName\": \"s\", \"Parameters\": []}", "Parameters: must have at least 1 element"},
    {"{\"StackName\": \"s\", \"Parameters\": {\"A\": \"b\"}}",
     "Parameters: must be a list, not an object"},
    {"{\"StackName\": \"s\", \"Labels\": {\"a\": 1}}", "Labels.a: must be a string, not a number"},
    {"{\"StackName\": \"s\", \"Rate\": \"high\"}", "Rate: must be a number, not a string"},
    {"{\"StackName\": \"s\", \"When\": \"soon\"}", "When: must be a timestamp, not this string"},
    {"{\"StackName\": \"s\", \"Data\": \"***\"}", "Data: must be a base64 string, not this string"},
    {"{\"StackName\": \"s\", \"Choice\": {\"A\": \"\", \"B\": \"\"}}",
     "Choice: exactly one of its members must be given"},
    {"{\"StackName\": \"s\", \"Choice\": {}}", "Choice: exactly one of its members must be given"},
    {"{\"StackName\": \"s\", \"Zzzzzz\": 1}", "Zzzzzz: unknown member"},
    {"{\"stackName\": \"s\"}",
     "StackName: required, and missing\nstackName: unknown member (did you mean StackName?)"},
};

static void a_mistake_is_named_with_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check("CreateStack", bad[i].input, bad[i].findings);
    check("ListAll", "{\"MaxItems\": 5}", "this operation takes no input");
}

static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    check("CreateStack",
          "{\"StackNme\": \"s\", \"TimeoutInMinutes\": true,"
          " \"Parameters\": [{\"ParameterKey\": 5}, {}, \"x\", {\"ParameterKey\": \"k\","
          " \"ParamValue\": 1}]}",
          "StackName: required, and missing\n"
          "StackNme: unknown member (did you mean StackName?)\n"
          "TimeoutInMinutes: must be an integer, not a boolean\n"
          "Parameters[0].ParameterKey: must be a string, not a number\n"
          "Parameters[1].ParameterKey: required, and missing\n"
          "Parameters[2]: must be an object, not a string\n"
          "Parameters[3].ParamValue: unknown member (did you mean ParameterValue?)");
}

static void a_flood_of_mistakes_is_cut_short(void **state)
{
    (void)state;
    struct tap_buf text;
    struct tap_error err;
    const json_t *operation = NULL;
    tap_buf_init(&text, 100000);
    tap_buf_puts(&text, "{\"StackName\": \"s\", \"Parameters\": [");
    for (int i = 0; i < 50; i++)
        tap_buf_printf(&text, "%s1", i ? "," : "");
    tap_buf_puts(&text, "]}");
    json_t *value = parse(tap_buf_text(&text));
    assert_int_equal(tap_model_operation(&operation, model, "CreateStack", &err), TAP_OK);
    assert_int_equal(tap_validate_input(model, operation, value, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "Parameters[19]: must be an object"));
    assert_null(strstr(err.message, "Parameters[20]"));
    assert_non_null(strstr(err.message, "(and 30 more)"));
    json_decref(value);
    tap_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_input_passes),
        cmocka_unit_test(a_mistake_is_named_with_its_path),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(a_flood_of_mistakes_is_cut_short),
    };
    return cmocka_run_group_tests_name("validate", tests, load_model, drop_model);
}
