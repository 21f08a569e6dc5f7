/*
 * model: how long the largest service model takes from nothing to its first operation, in this
 * process. Prints the median of several loads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/model.h"

enum { LOADS = 21 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    const char *service = argc > 1 ? argv[1] : "ec2";
    const char *operation_name = argc > 2 ? argv[2] : "DescribeInstances";
    double times[LOADS];
    for (int i = 0; i < LOADS; i++) {
        const struct tap_model *model;
        const json_t *operation;
        struct tap_error err;
        double start = now_ms();
        if (tap_model_load(&model, service, &err) != TAP_OK ||
            tap_model_operation(&operation, model, operation_name, &err) != TAP_OK) {
            fprintf(stderr, "model: %s\n", err.message);
            return 1;
        }
        times[i] = now_ms() - start;
        tap_model_unload_all();
    }
    qsort(times, LOADS, sizeof *times, by_value);
    printf("  %s, ready for %s: %.2f ms (median of %d)\n", service, operation_name,
           times[LOADS / 2], LOADS);
    return 0;
}
