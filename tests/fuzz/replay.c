// SPDX-License-Identifier: Apache-2.0
// A fuzzer without libFuzzer: its inputs of the tree, then as many drawn ones as are asked for.
//   replay_NAME DRAWS FOLDER [TO]    TO: a folder that the drawn inputs are written to, from which
//                                    libFuzzer begins
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../op/rng.h"
#include "source.h"

enum { MOST_BYTES = 1 << 16, DRAWN_BYTES = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

// In a block of its own, so that a sanitizer sees each byte that is read behind it.
static void try_input(const char *name, const uint8_t *data, size_t bytes) {
    fprintf(stderr, "input %s\n", name); // the last one is that which failed
    uint8_t *exact = malloc(bytes ? bytes : 1);
    if (!exact) fuzz_fail("no memory for an input");
    for (size_t i = 0; i < bytes; i++) exact[i] = data[i];
    LLVMFuzzerTestOneInput(exact, bytes);
    free(exact);
}

static void try_file(const char *folder, const char *name) {
    static uint8_t data[MOST_BYTES];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *from = fopen(path, "rb");
    if (!from) fuzz_fail("%s: cannot be read", path);
    const size_t bytes = fread(data, 1, sizeof data, from);
    fclose(from);
    try_input(path, data, bytes);
}

static uint32_t try_folder(const char *path) {
    uint32_t count = 0;
    DIR *folder = opendir(path);
    if (!folder) fuzz_fail("%s: cannot be read", path);
    for (const struct dirent *d; (d = readdir(folder));)
        if (d->d_name[0] != '.') try_file(path, d->d_name), count++;
    closedir(folder);
    return count;
}

// Bytes of 0 are plain values, those of 255 are odd ones: most inputs have many of the former and
// few of the latter.
static size_t draw_input(uint32_t number, uint8_t data[DRAWN_BYTES]) {
    rng r = rng_make(6, number);
    const uint32_t plain = (uint32_t)rng_int(&r, 1, 9), odd = rng_one_in(&r, 3) ? 100 : UINT32_MAX;
    for (int i = 0; i < DRAWN_BYTES; i++)
        data[i] = rng_one_in(&r, odd)                  ? 255
                  : rng_int(&r, 0, 9) < (int32_t)plain ? 0
                                                       : (uint8_t)rng_int(&r, 0, 254);
    data[0] = (uint8_t)rng_next(&r);
    return (size_t)rng_int(&r, 40, DRAWN_BYTES);
}

static void write_input(const char *folder, uint32_t number, const uint8_t *data, size_t bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/drawn-%u", folder, number);
    FILE *to = fopen(path, "wb");
    if (!to || fwrite(data, 1, bytes, to) != bytes || fclose(to))
        fuzz_fail("%s: cannot be written", path);
}

int main(int argc, char **argv) {
    uint8_t data[DRAWN_BYTES];
    char name[32];
    if (argc < 3) fuzz_fail("usage: %s DRAWS FOLDER [TO]", argv[0]);
    const uint32_t draws = (uint32_t)strtoul(argv[1], NULL, 10), files = try_folder(argv[2]);
    for (uint32_t i = 0; i < draws; i++) {
        const size_t bytes = draw_input(i, data);
        snprintf(name, sizeof name, "drawn-%u", i);
        if (argc > 3) write_input(argv[3], i, data, bytes);
        try_input(name, data, bytes);
    }
    if (draws && (fuzz_ran < draws / 20 || fuzz_refusals < draws / 20))
        fuzz_fail("the drawn inputs are one-sided: %u ran, %u refused", fuzz_ran, fuzz_refusals);
    printf("%u ran, %u refused\n%u passed, 0 failed, 0 skipped\n", fuzz_ran, fuzz_refusals,
           files + draws);
    return 0;
}
