/*
 * Prints the name and the status of one stack, or of all stacks of the region.
 *
 *     cc describe-stacks.c -o describe-stacks $(pkg-config --cflags --libs libtap)
 *     AWS_REGION=eu-west-1 ./describe-stacks [STACK]     (credentials as with every AWS tool)
 */
#include <stdio.h>
#include <tap/tap.h>

static void print_stacks(const json_t *output)
{
    size_t i;
    const json_t *stack;
    json_array_foreach(json_object_get(output, "Stacks"), i, stack)
        printf("%s %s\n", json_string_value(json_object_get(stack, "StackName")),
               json_string_value(json_object_get(stack, "StackStatus")));
}

/* A call is an operation of the loop: started, waited for, read, freed. */
static tap_err print_page(struct tap_client *client, struct tap_loop *loop,
                          struct tap_paginator *pages, struct tap_error *err)
{
    struct tap_op *call;
    if (tap_client_call(&call, client, "DescribeStacks", tap_paginator_input(pages), err))
        return err->code;
    call = tap_loop_next(loop, -1); /* the only operation under way, so it is this one */
    tap_err code;
    if (tap_op_error(call)) {
        *err = *tap_op_error(call);
        code = err->code;
    } else {
        print_stacks(tap_call_output(call));
        code = tap_paginator_feed(pages, tap_call_output(call), err);
    }
    tap_op_free(call);
    return code;
}

int main(int argc, char **argv)
{
    struct tap_error err;
    struct tap_client *client = NULL;
    struct tap_paginator *pages = NULL;
    json_t *input = argc > 1 ? json_pack("{s:s}", "StackName", argv[1]) : json_object();
    struct tap_loop *loop = tap_loop_new(&err);
    bool ok = loop && !tap_client_new(&client, loop, "cloudformation", NULL, &err) &&
              !tap_paginator_new(&pages, tap_client_model(client), "DescribeStacks", input, &err);
    while (ok && tap_paginator_input(pages))
        ok = !print_page(client, loop, pages, &err);
    if (!ok)
        fprintf(stderr, "describe-stacks: %s: %s\n", err.name, err.message);
    tap_paginator_free(pages);
    tap_client_free(client);
    tap_loop_free(loop);
    tap_library_clear();
    json_decref(input);
    return ok ? 0 : 1;
}
