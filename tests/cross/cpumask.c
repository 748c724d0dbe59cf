// SPDX-License-Identifier: Apache-2.0
// Hides CPU features from a process, so that run-time detection is tested natively: Linux CPUID
// faulting (arch_prctl ARCH_CPUID; /proc/cpuinfo shows cpuid_fault) turns every CPUID into a
// SIGSEGV, and the handler answers it. Use: QUERNEL_CPUMASK=ref|avx2|avxvnni|avx512vnni
// LD_PRELOAD=libcpumask.so program. The highest set that stays visible is named. The instructions
// themselves still work; only the answers change. A process that cannot be masked ends with 99.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { ARCH_SET_CPUID = 0x1012, EXIT_NOT_MASKED = 99 };

/// Bits to clear of what CPUID returns for one leaf: everything above the named set.
typedef struct mask {
    const char *visible;
    uint32_t leaf, sub;
    uint32_t eax, ebx, ecx, edx;
} mask;

#define BIT(n) (UINT32_C(1) << (n))
#define AMX_EDX (BIT(22) | BIT(24) | BIT(25)) // bf16, tile, int8
#define AVX512_EBX (BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31))
#define AVX512_ECX (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define VBMI_ECX (BIT(1) | BIT(6))
#define AVX512_EDX (BIT(2) | BIT(3) | BIT(8) | BIT(23))
#define AMX_EAX BIT(21)                         // amx_fp16
#define AMX_EDX_1 BIT(8)                        // amx_complex
#define AVX512_EAX BIT(5)                       // avx512_bf16
#define AVX512_EDX_1 BIT(19)                    // avx10
#define AVXVNNI_EAX (BIT(4) | BIT(23))          // vnni, avx_ifma
#define AVXVNNI_EDX (BIT(4) | BIT(5) | BIT(10)) // vnni_int8, ne_convert, vnni_int16

static const mask masks[] = {
    {"avx512vnni", 7, 0, 0, 0, VBMI_ECX, AMX_EDX}, // as the first CPUs of the set
    {"avx512vnni", 7, 1, AMX_EAX, 0, 0, AMX_EDX_1},
    {"avxvnni", 7, 0, 0, AVX512_EBX, AVX512_ECX, AMX_EDX | AVX512_EDX},
    {"avxvnni", 7, 1, AMX_EAX | AVX512_EAX, 0, 0, AMX_EDX_1 | AVX512_EDX_1},
    {"avx2", 7, 0, 0, AVX512_EBX, AVX512_ECX, AMX_EDX | AVX512_EDX},
    {"avx2", 7, 1, AMX_EAX | AVX512_EAX | AVXVNNI_EAX, 0, 0,
     AMX_EDX_1 | AVX512_EDX_1 | AVXVNNI_EDX},
    {"ref", 7, 0, 0, AVX512_EBX | BIT(5), AVX512_ECX, AMX_EDX | AVX512_EDX},
    {"ref", 7, 1, AMX_EAX | AVX512_EAX | AVXVNNI_EAX, 0, 0, AMX_EDX_1 | AVX512_EDX_1 | AVXVNNI_EDX},
    {"ref", 1, 0, 0, 0, BIT(12) | BIT(28), 0}, // FMA, AVX
};

static const char *visible;
static struct sigaction behind; // what the program wants to happen on a SIGSEGV of its own

static void let_cpuid(unsigned long allowed) { syscall(SYS_arch_prctl, ARCH_SET_CPUID, allowed); }

static void pass_on(int number, siginfo_t *info, void *context) {
    if (behind.sa_flags & SA_SIGINFO) behind.sa_sigaction(number, info, context);
    else if (behind.sa_handler != SIG_DFL && behind.sa_handler != SIG_IGN)
        behind.sa_handler(number);
    else _exit(128 + number);
}

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)reg[REG_RIP];
    if (info->si_addr == at || at[0] != 0x0f || at[1] != 0xa2) {
        pass_on(number, info, context);
        return;
    }
    const uint32_t leaf = (uint32_t)reg[REG_RAX], sub = (uint32_t)reg[REG_RCX];
    uint32_t a, b, c, d;
    let_cpuid(1);
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf), "c"(sub));
    let_cpuid(0);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        const mask *m = &masks[i];
        if (strcmp(m->visible, visible) || m->leaf != leaf || (leaf == 7 && m->sub != sub))
            continue;
        a &= ~m->eax, b &= ~m->ebx, c &= ~m->ecx, d &= ~m->edx;
    }
    if (leaf == 0x1d || leaf == 0x1e || leaf == 0x24) a = b = c = d = 0; // palettes, TMUL, AVX10
    reg[REG_RAX] = a, reg[REG_RBX] = b, reg[REG_RCX] = c, reg[REG_RDX] = d;
    reg[REG_RIP] += 2;
}

typedef int sigaction_function(int, const struct sigaction *, struct sigaction *);

// The program may handle SIGSEGV as well: its handler is kept behind ours.
int sigaction(int number, const struct sigaction *wanted, struct sigaction *ret_old) {
    sigaction_function *real;
    *(void **)&real = dlsym(RTLD_NEXT, "sigaction");
    if (number != SIGSEGV || !visible) return real(number, wanted, ret_old);
    if (ret_old) *ret_old = behind;
    if (wanted) behind = *wanted;
    return 0;
}

sighandler_t signal(int number, sighandler_t handler) {
    const struct sigaction wanted = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old;
    return sigaction(number, &wanted, &old) ? SIG_ERR : old.sa_handler;
}

__attribute__((constructor(101))) static void install(void) {
    const char *name = getenv("QUERNEL_CPUMASK");
    if (!name) return;
    const struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    const int handled = sigaction(SIGSEGV, &action, NULL);
    visible = name;
    if (handled || syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0UL)) _exit(EXIT_NOT_MASKED);
}
