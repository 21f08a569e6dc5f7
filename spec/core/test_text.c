/*
 * What can be relied on of text: encodings there and back, names in each spelling, the nearest
 * name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/text.h"

enum { LIMIT = 4096 };

static struct tap_buf out;

static int open_buf(void **state)
{
    (void)state;
    tap_buf_init(&out, LIMIT);
    return 0;
}

static int close_buf(void **state)
{
    (void)state;
    tap_buf_fini(&out);
    return 0;
}

/* The buffer's text since the last call. */
static void assert_out(const char *expected)
{
    assert_string_equal(tap_buf_text(&out), expected);
    assert_int_equal(out.len, strlen(expected));
    tap_buf_reset(&out);
}

static void only_unreserved_characters_stay_in_a_uri(void **state)
{
    (void)state;
    const char unreserved[] = "ABCXYZabcxyz0189-._~";
    tap_uri_encode(&out, unreserved, strlen(unreserved), "");
    assert_out(unreserved);
    tap_uri_encode(&out, "a b/c+d%\xC3\xA9\0!", 12, "");
    assert_out("a%20b%2Fc%2Bd%25%C3%A9%00%21");
    tap_uri_encode(&out, "/a b/\0", 6, "/");
    assert_out("/a%20b/%00");
}

static void a_uri_decodes_to_the_bytes_it_was_made_of(void **state)
{
    (void)state;
    assert_true(tap_uri_decode(&out, "a%20b%2fc+d%C3%A9", 17, false));
    assert_out("a b/c+d\xC3\xA9");
    assert_true(tap_uri_decode(&out, "a+b%2B", 6, true));
    assert_out("a b+");
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    struct tap_buf encoded;
    tap_buf_init(&encoded, LIMIT);
    tap_uri_encode(&encoded, all, sizeof all, "");
    assert_true(tap_uri_decode(&out, encoded.data, encoded.len, true));
    assert_int_equal(out.len, sizeof all);
    assert_memory_equal(out.data, all, sizeof all);
    tap_buf_fini(&encoded);
}

static void a_broken_escape_is_noticed(void **state)
{
    (void)state;
    static const char *const broken[] = {"%", "%4", "a%", "%G0", "%0G", "%%41", "%-1", "% 1"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_false(tap_uri_decode(&out, broken[i], strlen(broken[i]), false));
}

static void base64_is_rfc_4648s(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *encoded;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"foobar", "Zm9vYmFy"},
                 {"\xFB\xFF\xBF", "+/+/"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tap_base64_encode(&out, cases[i].plain, strlen(cases[i].plain));
        assert_out(cases[i].encoded);
        assert_true(tap_base64_decode(&out, cases[i].encoded, strlen(cases[i].encoded)));
        assert_out(cases[i].plain);
    }
}

static void base64_of_any_length_is_read_back(void **state)
{
    (void)state;
    unsigned char bytes[2000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct tap_buf text, back;
        tap_buf_init(&text, 4 * sizeof bytes);
        tap_buf_init(&back, 4 * sizeof bytes);
        tap_base64_encode(&text, bytes, n);
        assert_int_equal(text.len, (n + 2) / 3 * 4);
        assert_true(tap_base64_decode(&back, tap_buf_text(&text), text.len));
        assert_int_equal(back.len, n);
        assert_true(n == 0 || memcmp(back.data, bytes, n) == 0);
        tap_buf_fini(&text);
        tap_buf_fini(&back);
    }
}

static void base64_has_64_digits(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (void)state;
    for (int c = 0; c < 256; c++) {
        struct tap_buf read;
        char text[4] = {(char)c, 'A', 'A', 'A'};
        const char *at = c ? strchr(digits, c) : NULL;
        tap_buf_init(&read, 64);
        assert_int_equal(tap_base64_decode(&read, text, sizeof text), at != NULL);
        if (at)
            assert_int_equal((unsigned char)read.data[0], (at - digits) << 2);
        tap_buf_fini(&read);
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9 ", "Zm9v\n", "Zm9-", "Zm=v", "Zm9\xC3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(tap_base64_decode(&out, wrong[i], strlen(wrong[i])));
    assert_false(tap_base64_decode(&out, "Zm9\0", 4));
}

static void hex_is_lower_case_and_ended(void **state)
{
    (void)state;
    char text[9];
    tap_hex(text, "\x00\x7F\xA0\xFF", 4);
    assert_string_equal(text, "007fa0ff");
    tap_hex(text, "", 0);
    assert_string_equal(text, "");
}

static void operations_are_spelt_as_boto3_spells_them(void **state)
{
    (void)state;
    static const struct {
        const char *name, *snake;
    } cases[] = {
        {"DescribeStacks", "describe_stacks"},
        {"GetRestApis", "get_rest_apis"},
        {"GetRESTApis", "get_rest_apis"},
        {"CreateDBInstance", "create_db_instance"},
        {"DescribeDBClusterSnapshots", "describe_db_cluster_snapshots"},
        {"ListObjectsV2", "list_objects_v2"},
        {"GetEC2InstanceRecommendations", "get_ec2_instance_recommendations"},
        {"AssociateVPCWithHostedZone", "associate_vpc_with_hosted_zone"},
        {"ListWebACLs", "list_web_acls"},
        {"DescribeACLs", "describe_acls"},
        {"CreateSMBFileShare", "create_smb_file_share"},
        {"AddTagsToOnPremisesInstances", "add_tags_to_on_premises_instances"},
        {"ListHITs", "list_hits"},
        {"ListHITsForQualificationType", "list_hits_for_qualification_type"},
        {"DescribeStorediSCSIVolumes", "describe_stored_iscsi_volumes"},
        {"CreateCachediSCSIVolume", "create_cached_iscsi_volume"},
        {"ExecutePartiQLBatch", "execute_partiql_batch"},
        {"SendWhatsAppMessage", "send_whatsapp_message"},
        {"GetOTelEnrichment", "get_otel_enrichment"},
        {"describe_stacks", "describe_stacks"},
        {"A", "a"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tap_snake_case(&out, cases[i].name);
        assert_out(cases[i].snake);
    }
}

static void a_name_is_the_same_in_each_spelling(void **state)
{
    (void)state;
    assert_true(tap_same_name("DescribeStacks", "describe_stacks"));
    assert_true(tap_same_name("describe-stacks", "describe_stacks"));
    assert_true(tap_same_name("ListHITs", "-list_hits-"));
    assert_true(tap_same_name("", "_"));
    assert_false(tap_same_name("DescribeStacks", "describe_stack"));
    assert_false(tap_same_name("describe_stack", "DescribeStacks"));
    assert_false(tap_same_name("describe stacks", "describe_stacks"));
}

static void the_nearest_name_is_what_was_meant(void **state)
{
    (void)state;
    static const char *const names[] = {"CreateStack",      "DeleteStack",         "DescribeStacks",
                                        "UpdateStack",      "DescribeStackEvents", "ListStacks",
                                        "CancelUpdateStack"};
    static const struct {
        const char *wanted, *nearest;
    } cases[] = {
        {"describe_stack", "DescribeStacks"},
        {"DescribeStakcs", "DescribeStacks"},
        {"describe-stacks", "DescribeStacks"},
        {"list-stack", "ListStacks"},
        {"descrbe_stak_evnts", "DescribeStackEvents"},
        {"CreatStack", "CreateStack"},
        {"GetCallerIdentity", NULL},
        {"x", NULL},
        {"", NULL},
        {"--", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = tap_nearest(cases[i].wanted, names, sizeof names / sizeof *names);
        if (cases[i].nearest)
            assert_string_equal(nearest, cases[i].nearest);
        else
            assert_null(nearest);
    }
    assert_null(tap_nearest("describe_stacks", NULL, 0));
}

static void a_name_beyond_reason_has_no_nearest_one(void **state)
{
    (void)state;
    char huge[5000];
    memset(huge, 'a', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    const char *const names[] = {huge};
    assert_null(tap_nearest(huge, names, 1));
    assert_null(tap_nearest("aaa", names, 1));
}

static void utf8_is_well_formed_or_not(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "abc",
                                       "\xC3\xA9",
                                       "\xE1\x88\xB4",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x9F\x98\x80",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {
        "\x80",             /* starts in the middle */
        "\xC3",             /* ends too early */
        "\xE1\x88",         /* likewise */
        "\xC0\xAF",         /* overlong '/' */
        "\xE0\x80\xAF",     /* overlong */
        "\xF0\x80\x80\xAF", /* overlong */
        "\xED\xA0\x80",     /* a surrogate */
        "\xF4\x90\x80\x80", /* beyond U+10FFFF */
        "\xFE",             /* never */
        "\xE1\x88 ",        /* cut by something else */
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(tap_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tap_utf8_valid(bad[i], strlen(bad[i])));
    assert_true(tap_utf8_valid("a\0b", 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_buf, close_buf)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_unreserved_characters_stay_in_a_uri),
        TEST(a_uri_decodes_to_the_bytes_it_was_made_of),
        TEST(a_broken_escape_is_noticed),
        TEST(base64_is_rfc_4648s),
        TEST(base64_of_any_length_is_read_back),
        TEST(base64_has_64_digits),
        TEST(what_is_not_base64_is_refused),
        TEST(hex_is_lower_case_and_ended),
        TEST(operations_are_spelt_as_boto3_spells_them),
        TEST(a_name_is_the_same_in_each_spelling),
        TEST(the_nearest_name_is_what_was_meant),
        TEST(a_name_beyond_reason_has_no_nearest_one),
        TEST(utf8_is_well_formed_or_not),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
