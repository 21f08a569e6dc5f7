/*
 * measure: runs commands in turn, A B A B ..., and prints the medians of wall time, processor time
 * and peak memory of each, and their ratios to the first. Interleaved, so that a machine whose
 * speed drifts treats all alike.
 *
 * usage: measure RUNS NAME COMMAND [NAME COMMAND ...]      (a command is split into words as a
 * shell does it, so that no shell's start is measured; its output is dropped)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wordexp.h>

enum { MAX_COMMANDS = 8, MAX_RUNS = 200 };

struct samples {
    double wall[MAX_RUNS], cpu[MAX_RUNS], memory[MAX_RUNS];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void run(const char *command, struct samples *samples, int i)
{
    wordexp_t words;
    if (wordexp(command, &words, WRDE_NOCMD | WRDE_SHOWERR) != 0) {
        fprintf(stderr, "measure: not a command: %s\n", command);
        exit(1);
    }
    double start = now();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(words.we_wordv[0], words.we_wordv);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        fprintf(stderr, "measure: failed: %s\n", command);
        exit(1);
    }
    double wall = now() - start;
    wordfree(&words);
    if (i < 0)
        return; /* the warm-up */
    samples->wall[i] = wall;
    samples->cpu[i] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    samples->memory[i] = (double)usage.ru_maxrss / 1024;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

int main(int argc, char **argv)
{
    static struct samples samples[MAX_COMMANDS];
    int n = (argc - 2) / 2;
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    if (argc < 4 || argc % 2 || n > MAX_COMMANDS || runs < 1 || runs > MAX_RUNS) {
        fprintf(stderr, "usage: measure RUNS NAME COMMAND [NAME COMMAND ...]\n");
        return 2;
    }
    for (int i = -1; i < (int)runs; i++)
        for (int c = 0; c < n; c++)
            run(argv[3 + 2 * c], &samples[c], i);

    double first_wall = 0, first_cpu = 0, first_memory = 0;
    for (int c = 0; c < n; c++) {
        double wall = median(samples[c].wall, (int)runs), cpu = median(samples[c].cpu, (int)runs);
        double memory = median(samples[c].memory, (int)runs);
        if (c == 0) {
            first_wall = wall;
            first_cpu = cpu;
            first_memory = memory;
        }
        printf("  %-28s %8.1f ms wall  %8.1f ms cpu  %7.1f MiB peak", argv[2 + 2 * c], wall * 1e3,
               cpu * 1e3, memory);
        if (c)
            printf("   = %.2f x wall, %.2f x cpu, %.2f x memory", wall / first_wall,
                   cpu / first_cpu, memory / first_memory);
        putchar('\n');
    }
    return 0;
}
