/*
 * One DescribeStacks as a whole process, through libtap alone: what a C program that links the
 * library costs, for the bench's comparison with curl --aws-sigv4 and the AWS CLI. Also the
 * shortest example of a call from C.
 *
 *     describe [STACK]      region, credentials and endpoint by the usual AWS_* variables
 */
#include <stdio.h>

#include "core/client.h"
#include "core/json.h"
#include "core/mem.h"

static int report(const struct tap_error *error)
{
    fprintf(stderr, "describe: %s: %s\n", error->name, error->message);
    return 1;
}

static int print_answer(const struct tap_op *call)
{
    if (tap_op_error(call))
        return report(tap_op_error(call));
    char *text = tap_json_print(tap_call_output(call));
    puts(text);
    tap_free(text);
    return 0;
}

static int describe(struct tap_loop *loop, const json_t *input)
{
    struct tap_error err;
    struct tap_client *client;
    struct tap_op *call;
    if (tap_client_new(&client, loop, "cloudformation", NULL, &err))
        return report(&err);
    int status;
    if (tap_client_call(&call, client, "DescribeStacks", input, &err)) {
        status = report(&err);
    } else {
        status = print_answer(tap_loop_next(loop, -1)); /* the only operation there is */
        tap_op_free(call);
    }
    tap_client_free(client);
    return status;
}

int main(int argc, char **argv)
{
    struct tap_error err;
    struct tap_loop *loop = tap_loop_new(&err);
    if (!loop)
        return report(&err);
    json_t *input = argc > 1 ? json_pack("{s:s}", "StackName", argv[1]) : json_object();
    int status = describe(loop, input);
    json_decref(input);
    tap_loop_free(loop);
    tap_model_unload_all();
    tap_secrets_clear();
    return status;
}
