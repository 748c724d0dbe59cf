// SPDX-License-Identifier: Apache-2.0
// Executes one multiply of an instruction set: `foreign neon|dotprod|i8mm`. Exit 0 on a processor
// that has it; on another the process dies of SIGILL, as it would in a test. It shows that an
// emulated core lets nothing pass that the real one lacks.
#include <stdio.h>
#include <string.h>

// As numbers: the assembler of the baseline knows no other set.
static void neon(void) { __asm__ volatile(".inst 0x0e20c000" ::: "v0"); }    // smull v0.8h, …
static void dotprod(void) { __asm__ volatile(".inst 0x4e809400" ::: "v0"); } // sdot v0.4s, …
static void i8mm(void) { __asm__ volatile(".inst 0x4e80a400" ::: "v0"); }    // smmla v0.4s, …

static const struct {
    const char *name;
    void (*multiply)(void);
} sets[] = {{"neon", neon}, {"dotprod", dotprod}, {"i8mm", i8mm}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc == 2 && i < sizeof sets / sizeof *sets; i++) {
        if (strcmp(argv[1], sets[i].name)) continue;
        sets[i].multiply();
        return 0;
    }
    fputs("usage: foreign neon|dotprod|i8mm\n", stderr);
    return 2;
}
