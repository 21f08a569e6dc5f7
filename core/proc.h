/*
 * Child processes on the loop: started without a shell, their output collected with a cap, their
 * end an operation.
 */
#ifndef TAP_PROC_H
#define TAP_PROC_H

#include "loop.h"
#include "message.h"

struct tap_proc_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* NULL-terminated "NAME=value"; NULL: this process's environment */
    const char *cwd;         /* NULL: this process's */
    const char *input;       /* bytes for standard input; NULL: empty */
    size_t input_len;
    size_t max_output; /* of each stream; 0: 16 MiB; more ends the child with TAP_E_LIMIT */
    bool inherit;      /* standard output and error stay the parent's: nothing is collected */
};

struct tap_proc_result {
    int exit_code; /* -1 when a signal ended it */
    int signal;    /* 0 when it exited */
    struct tap_buf out, err;
};

/* Completes when the child has ended and its output is read. A program that cannot be started
 * completes with TAP_E_IO. Cancelling sends SIGTERM, and SIGKILL two seconds later if need be; the
 * loop reaps it. */
struct tap_op *tap_proc_start(struct tap_loop *loop, const struct tap_proc_options *options);
/* Of a finished operation without error; borrowed. */
struct tap_proc_result *tap_proc_result(struct tap_op *op);

#endif
