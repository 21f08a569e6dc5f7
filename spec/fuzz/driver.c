/*
 * Runs a fuzz target over the files of a folder, each once, without a fuzzer: the seeds, and every
 * input that ever broke something, are tests. Prints "ok FILE" after each; what a target finds
 * wrong ends the process (an assert, a sanitizer), with the file's name as the last line begun.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        printf("not ok %s: cannot be read\n", path);
        exit(1);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = tap_alloc(size); /* exactly as large, so that reading past it is seen */
    size_t n = fread(data, 1, size, file);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, n);
    printf("ok %s\n", path);
    tap_free(data);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    struct dirent **entries;
    int n = scandir(argv[1], &entries, is_file, alphasort);
    if (n <= 0) {
        printf("not ok %s: there are no seeds\n", argv[1]);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        char *path = tap_sprintf("%s/%s", argv[1], entries[i]->d_name);
        run(path);
        tap_free(path);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
