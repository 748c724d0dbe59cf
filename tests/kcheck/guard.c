// SPDX-License-Identifier: Apache-2.0
// Memory between two pages that nobody may touch, and watched calls.
#define _GNU_SOURCE
#include "guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t round_up(size_t value, size_t to) { return (value + to - 1) / to * to; }

void *guard_take(guard *g, size_t bytes, size_t alignment, uint8_t poison) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = round_up(bytes ? bytes : 1, page);
    if (g->count == GUARD_BLOCKS) abort();
    uint8_t *map = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + page, inner, PROT_READ | PROT_WRITE)) abort();
    const size_t skip = g->at_end ? (inner - bytes) / alignment * alignment : 0;
    memset(map + page, poison, inner);
    const int i = g->count++;
    g->block[i].map = map, g->block[i].mapped = inner + 2 * page;
    g->block[i].data = map + page + skip, g->block[i].bytes = bytes;
    g->block[i].sealed = false;
    return g->block[i].data;
}

// The whole of the pages between the guards, so that what lies around a block is watched too.
static uint64_t sum_of(const guard *g, int i) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uint8_t *p = (const uint8_t *)g->block[i].map + page;
    uint64_t sum = 0xcbf29ce484222325ull, word;
    for (size_t at = 0; at < g->block[i].mapped - 2 * page; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        sum = (sum ^ word) * 0x100000001b3ull;
        sum ^= sum >> 29;
    }
    return sum;
}

void guard_seal(guard *g) {
    for (int i = 0; i < g->count; i++) {
        g->block[i].sealed = true;
        g->block[i].sum = sum_of(g, i);
    }
}

void guard_open(guard *g, const void *data) {
    for (int i = 0; i < g->count; i++)
        if (g->block[i].data == data) g->block[i].sealed = false;
}

bool guard_unchanged(const guard *g) {
    for (int i = 0; i < g->count; i++)
        if (g->block[i].sealed && sum_of(g, i) != g->block[i].sum) return false;
    return true;
}

void guard_free(guard *g) {
    for (int i = 0; i < g->count; i++) munmap(g->block[i].map, g->block[i].mapped);
    g->count = 0;
}

static sigjmp_buf escape;
static void on_fault(int signal) {
    (void)signal;
    siglongjmp(escape, 1);
}

#if defined(__x86_64__)
static uint32_t control_word(void) {
    uint32_t word;
    __asm__ volatile("stmxcsr %0" : "=m"(word));
    return word & 0xffc0; // without the flags of exceptions that happened
}
static void set_control_word(uint32_t word) { __asm__ volatile("ldmxcsr %0" ::"m"(word)); }
enum { CONTROL = 0x1F80 };

// rbx and r12 … r15 hold marks across the call; the stack is aligned anew, beyond the red zone.
static bool watched(void (*function)(void), const void *a, uintptr_t b, uintptr_t c, uintptr_t d,
                    const void *e) {
    register const void *r8 __asm__("r8") = e;
    uintptr_t changed = (uintptr_t)function;
    __asm__ volatile(
        "lea -512(%%rsp), %%rsp\n\tpush %%rbp\n\tmov %%rsp, %%rbp\n\tand $-64, %%rsp\n\t"
        "mov $0x1b, %%ebx\n\tmov $0x2c, %%r12d\n\tmov $0x3d, %%r13d\n\tmov $0x4e, %%r14d\n\tmov "
        "$0x5f, %%r15d\n\t"
        "call *%%rax\n\t"
        "xor $0x1b, %%rbx\n\txor $0x2c, %%r12\n\txor $0x3d, %%r13\n\txor $0x4e, %%r14\n\txor "
        "$0x5f, %%r15\n\t"
        "or %%r12, %%rbx\n\tor %%r13, %%r14\n\tor %%r15, %%rbx\n\tor %%r14, %%rbx\n\tmov %%rbx, "
        "%%rax\n\t"
        "mov %%rbp, %%rsp\n\tpop %%rbp\n\tlea 512(%%rsp), %%rsp"
        : "+a"(changed), "+D"(a), "+S"(b), "+d"(c), "+c"(d), "+r"(r8)::"rbx", "r9", "r10", "r11",
          "r12", "r13", "r14", "r15", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
          "xmm15");
    return changed != 0;
}
#else
static uint32_t control_word(void) {
    uint64_t word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return (uint32_t)word;
}
static void set_control_word(uint32_t word) {
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)word));
}
enum { CONTROL = 0 };

// x19 … x28 and d8 … d15 hold marks across the call.
static bool watched(void (*function)(void), const void *a, uintptr_t b, uintptr_t c, uintptr_t d,
                    const void *e) {
    register const void *x0 __asm__("x0") = a;
    register uintptr_t x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    register const void *x4 __asm__("x4") = e;
    register uintptr_t x16 __asm__("x16") = (uintptr_t)function;
    __asm__ volatile("mov x19, #19\n\tmov x20, #20\n\tmov x21, #21\n\tmov x22, #22\n\tmov x23, "
                     "#23\n\tmov x24, #24\n\t"
                     "mov x25, #25\n\tmov x26, #26\n\tmov x27, #27\n\tmov x28, #28\n\t"
                     "fmov d8, x19\n\tfmov d9, x20\n\tfmov d10, x21\n\tfmov d11, x22\n\tfmov d12, "
                     "x23\n\tfmov d13, x24\n\t"
                     "fmov d14, x25\n\tfmov d15, x26\n\tblr x16\n\t"
                     "fmov x0, d8\n\tfmov x1, d9\n\tfmov x2, d10\n\tfmov x3, d11\n\teor x0, x0, "
                     "x19\n\teor x1, x1, x20\n\t"
                     "eor x2, x2, x21\n\teor x3, x3, x22\n\torr x0, x0, x1\n\torr x2, x2, "
                     "x3\n\torr x0, x0, x2\n\t"
                     "fmov x1, d12\n\tfmov x2, d13\n\tfmov x3, d14\n\tfmov x4, d15\n\teor x1, x1, "
                     "x23\n\teor x2, x2, x24\n\t"
                     "eor x3, x3, x25\n\teor x4, x4, x26\n\torr x1, x1, x2\n\torr x3, x3, "
                     "x4\n\torr x0, x0, x1\n\torr x0, x0, x3\n\t"
                     "eor x19, x19, #16\n\teor x19, x19, #3\n\torr x0, x0, x19\n\tsub x20, x20, "
                     "#20\n\torr x0, x0, x20\n\t"
                     "sub x21, x21, #21\n\torr x0, x0, x21\n\tsub x22, x22, #22\n\torr x0, x0, "
                     "x22\n\tsub x23, x23, #23\n\t"
                     "orr x0, x0, x23\n\tsub x24, x24, #24\n\torr x0, x0, x24\n\tsub x25, x25, "
                     "#25\n\torr x0, x0, x25\n\t"
                     "sub x26, x26, #26\n\torr x0, x0, x26\n\tsub x27, x27, #27\n\torr x0, x0, "
                     "x27\n\tsub x28, x28, #28\n\t"
                     "orr x0, x0, x28"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x16)::"x5", "x6",
                       "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x17", "x18",
                       "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30",
                       "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
                       "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
                       "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
    return x0 != 0;
}
#endif

call_report guard_call(void (*function)(void), const void *a, uintptr_t b, uintptr_t c, uintptr_t d,
                       const void *e) {
    struct sigaction fault = {.sa_handler = on_fault, .sa_flags = SA_NODEFER}, segv, bus, ill;
    const uint32_t before = control_word();
    volatile bool touched = true, registers = false;
    volatile uint32_t after = CONTROL;
    sigaction(SIGSEGV, &fault, &segv), sigaction(SIGBUS, &fault, &bus),
        sigaction(SIGILL, &fault, &ill);
    if (!sigsetjmp(escape, 1)) {
        set_control_word(CONTROL);
        registers = watched(function, a, b, c, d, e);
        after = control_word();
        touched = false;
    }
    set_control_word(before);
    sigaction(SIGSEGV, &segv, NULL), sigaction(SIGBUS, &bus, NULL), sigaction(SIGILL, &ill, NULL);
    return (call_report){touched, registers, after != CONTROL};
}
