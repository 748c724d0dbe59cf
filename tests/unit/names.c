// SPDX-License-Identifier: Apache-2.0
// Names and facts: statuses, types, instruction sets, the processor, the version, and the layout of
// chain tensors.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "cpu/cpu.h"
#include "quernel/quernel.h"
#include "tests.h"

// Every status with its published value.
static const struct {
    int status, value;
    const char *name;
} statuses[] = {{QUERNEL_OK, 0, "QUERNEL_OK"},
                {QUERNEL_E_NULL, -1, "QUERNEL_E_NULL"},
                {QUERNEL_E_VALUE, -2, "QUERNEL_E_VALUE"},
                {QUERNEL_E_SHAPE, -3, "QUERNEL_E_SHAPE"},
                {QUERNEL_E_STRIDE, -4, "QUERNEL_E_STRIDE"},
                {QUERNEL_E_OVERFLOW, -5, "QUERNEL_E_OVERFLOW"},
                {QUERNEL_E_ALIGN, -6, "QUERNEL_E_ALIGN"},
                {QUERNEL_E_WORKSPACE, -7, "QUERNEL_E_WORKSPACE"},
                {QUERNEL_E_OVERLAP, -8, "QUERNEL_E_OVERLAP"},
                {QUERNEL_E_MEMORY, -9, "QUERNEL_E_MEMORY"},
                {QUERNEL_E_BLOB, -10, "QUERNEL_E_BLOB"},
                {QUERNEL_E_UNSUPPORTED, -11, "QUERNEL_E_UNSUPPORTED"},
                {QUERNEL_E_ISA, -12, "QUERNEL_E_ISA"}};

void test_status_strings(void) {
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const char *text = quernel_status_string(statuses[i].status);
        const size_t length = strlen(statuses[i].name);
        CHECK(statuses[i].status == statuses[i].value, "%s has become %d", statuses[i].name,
              statuses[i].status);
        CHECK(text && strncmp(text, statuses[i].name, length) == 0 && text[length] == ':',
              "%d is \"%s\"", statuses[i].value, text);
    }
    CHECK(quernel_status_string(1) && quernel_status_string(-13) &&
              quernel_status_string(INT32_MIN),
          "unknown statuses");
    CHECK(strstr(quernel_status_string(-13), "QUERNEL_") == NULL, "-13 is \"%s\"",
          quernel_status_string(-13));
}

// Every type with its size, in the order of their values.
static const struct {
    quernel_type type;
    size_t bytes;
    const char *name;
} types[] = {{QUERNEL_TYPE_F32, 4, "f32"},
             {QUERNEL_TYPE_BF16, 2, "bf16"},
             {QUERNEL_TYPE_S32, 4, "s32"},
             {QUERNEL_TYPE_S8, 1, "s8"},
             {QUERNEL_TYPE_U8, 1, "u8"}};

void test_types(void) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CHECK((size_t)types[i].type == i, "%s has become %d", types[i].name, (int)types[i].type);
        CHECK(quernel_type_size(types[i].type) == types[i].bytes, "%s", types[i].name);
        const char *name = quernel_type_name(types[i].type);
        CHECK(name && strcmp(name, types[i].name) == 0, "%s is \"%s\"", types[i].name,
              name ? name : "NULL");
    }
    CHECK(quernel_type_size((quernel_type)5) == 0 && quernel_type_size((quernel_type)-1) == 0,
          "sizes of unknown types");
    CHECK(!quernel_type_name((quernel_type)5) && !quernel_type_name((quernel_type)-1),
          "names of unknown types");
}

// Every instruction set with its published value: x86 from 0, Arm from 16.
static const struct {
    quernel_isa isa;
    int value;
    const char *name;
} isas[] = {{QUERNEL_ISA_REF, 0, "ref"},          {QUERNEL_ISA_AVX2, 1, "avx2"},
            {QUERNEL_ISA_AVXVNNI, 2, "avxvnni"},  {QUERNEL_ISA_AVX512VNNI, 3, "avx512vnni"},
            {QUERNEL_ISA_AMXINT8, 4, "amxint8"},  {QUERNEL_ISA_NEON, 16, "neon"},
            {QUERNEL_ISA_DOTPROD, 17, "dotprod"}, {QUERNEL_ISA_I8MM, 18, "i8mm"}};

void test_isa_names(void) {
    size_t names = 0;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        quernel_isa parsed = (quernel_isa)77;
        const char *name = quernel_isa_name(isas[i].isa);
        CHECK((int)isas[i].isa == isas[i].value, "%s has become %d", isas[i].name,
              (int)isas[i].isa);
        CHECK(name && strcmp(name, isas[i].name) == 0, "%s is \"%s\"", isas[i].name,
              name ? name : "NULL");
        CHECK(quernel_isa_parse(isas[i].name, &parsed) == QUERNEL_OK && parsed == isas[i].isa,
              "parse %s", isas[i].name);
    }
    for (int isa = -2; isa < 64; isa++) names += quernel_isa_name((quernel_isa)isa) != NULL;
    CHECK(names == sizeof isas / sizeof *isas, "%zu names", names);
}

/// A name is parsed whole, in capitals or not, or refused without a result.
void test_isa_parse(void) {
    static const char *const wrong[] = {"",      "AVX-2",  "avx",   "avx2 ",
                                        " avx2", "avx512", "neon,", "ref\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        quernel_isa parsed = (quernel_isa)77;
        CHECK(quernel_isa_parse(wrong[i], &parsed) == QUERNEL_E_VALUE, "parse \"%s\"", wrong[i]);
        CHECK((int)parsed == 77, "parse \"%s\" has written", wrong[i]);
    }
    quernel_isa parsed = QUERNEL_ISA_REF;
    CHECK(quernel_isa_parse("Avx512VNNI", &parsed) == QUERNEL_OK &&
              parsed == QUERNEL_ISA_AVX512VNNI,
          "capitals");
    CHECK(quernel_isa_parse(NULL, &parsed) == QUERNEL_E_NULL, "parse(NULL)");
    CHECK(quernel_isa_parse("ref", NULL) == QUERNEL_E_NULL, "parse without a result");
}

void test_cpu(void) {
    quernel_cpu a = QUERNEL_CPU_INIT, b = QUERNEL_CPU_INIT;
    if (!CHECK(quernel_cpu_get(&a) == QUERNEL_OK && quernel_cpu_get(&b) == QUERNEL_OK, "cpu_get"))
        return;
    CHECK(memcmp(&a, &b, sizeof a) == 0, "two calls differ");
    CHECK(a.size == sizeof a, "size %u", a.size);
    CHECK(a.detected & a.compiled & a.usable & 1u, "ref is always there");
    CHECK((a.usable & ~(a.detected & a.compiled)) == 0, "usable %x detected %x compiled %x",
          a.usable, a.detected, a.compiled);
    CHECK(a.ceiling >= 0 && quernel_isa_name((quernel_isa)a.ceiling), "ceiling %d", a.ceiling);
    CHECK((a.usable & 1u << a.ceiling) || a.ceiling == QUERNEL_ISA_REF ||
              !(a.detected & a.compiled & 1u << a.ceiling),
          "the ceiling %d is not usable", a.ceiling);
    for (int isa = 0; isa < QUERNEL_I_ISA_COUNT; isa++) {
        if (!(a.usable >> isa & 1)) continue;
        CHECK(quernel_isa_name((quernel_isa)isa), "usable instruction set %d has no name", isa);
        CHECK(isa <= a.ceiling, "%d is above the ceiling %d", isa, a.ceiling);
    }
    CHECK(a.cores >= 1, "cores %u", a.cores);
    CHECK(a.l1d_bytes >= 4096 && a.l2_bytes >= a.l1d_bytes, "caches %zu %zu %zu", a.l1d_bytes,
          a.l2_bytes, a.l3_bytes);
    CHECK(memchr(a.model, 0, sizeof a.model), "the model's name does not end");
}

/// AMX needs its three parts, AVX-512-VNNI, and the permission of the system.
void test_cpu_amx(void) {
    quernel_cpu a = QUERNEL_CPU_INIT;
    if (!CHECK(quernel_cpu_get(&a) == QUERNEL_OK, "cpu_get")) return;
    const bool amx = a.detected >> QUERNEL_ISA_AMXINT8 & 1;
    CHECK(!amx || (a.amx_cpuid && a.amx_xcr0 && a.amx_palette),
          "AMX is detected without its parts");
    CHECK(!amx || (a.detected & 1u << QUERNEL_ISA_AVX512VNNI),
          "AMX is detected without AVX-512-VNNI");
    quernel_error error = {0};
    const int asked = quernel_amx_request(&error);
    CHECK(asked == QUERNEL_OK ? a.usable >> QUERNEL_ISA_AMXINT8 & 1
                              : asked == QUERNEL_E_ISA && error.text[0],
          "amx_request: %d: %s", asked, error.text);
    CHECK(quernel_amx_request(NULL) == asked, "amx_request: another answer");
}

void test_version(void) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", QUERNEL_VERSION_MAJOR, QUERNEL_VERSION_MINOR,
             QUERNEL_VERSION_PATCH);
    CHECK(strcmp(quernel_version(), text) == 0, "\"%s\", expected \"%s\"", quernel_version(), text);
}

static int64_t place(const quernel_tensor *t, int64_t n, int64_t c, int64_t h, int64_t w) {
    return n * t->stride_n + c * t->stride_c + h * t->stride_h + w * t->stride_w;
}

/// Everything that may be touched lies within the bytes, 64 spare ones lie behind it, and no two
/// real elements share one.
void test_chain_describe(void) {
    for (uint32_t i = 0; i < 400; i++) {
        quernel_tensor t = QUERNEL_TENSOR_INIT;
        t.type = i & 1 ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8;
        t.n = 1 + i % 3, t.c = 1 + i % 7, t.h = 1 + i % 5, t.w = 1 + i % 11;
        const uint32_t border_h = i % 4, border_w = i / 4 % 4;
        size_t bytes = 0, offset = 0;
        quernel_error error = {0};
        if (!CHECK(quernel_chain_describe(&t, border_h, border_w, &bytes, &offset, &error) ==
                       QUERNEL_OK,
                   "%s", error.text))
            return;
        CHECK(t.border_h == border_h && t.border_w == border_w, "borders %u, %u", t.border_h,
              t.border_w);
        CHECK(t.layout == QUERNEL_LAYOUT_NHWC && t.stride_c == 1, "layout");
        static uint8_t used[1 << 16];
        if (!CHECK(bytes <= sizeof used, "%zu bytes", bytes)) return;
        memset(used, 0, sizeof used);
        const int64_t bh = border_h, bw = border_w;
        for (int64_t n = 0; n < t.n; n++) {
            for (int64_t h = -bh; h < t.h + bh; h++) {
                for (int64_t w = -bw; w < t.w + bw; w++) {
                    for (int64_t c = 0; c < t.c; c++) {
                        const int64_t at = (int64_t)offset + place(&t, n, c, h, w);
                        if (!CHECK(at >= 0 && at + 64 < (int64_t)bytes, "byte %lld of %zu",
                                   (long long)at, bytes))
                            return;
                        const bool real = h >= 0 && h < t.h && w >= 0 && w < t.w;
                        CHECK(used[at] == 0 || (!real && used[at] == 1), "byte %lld is used twice",
                              (long long)at);
                        used[at] = real ? 2 : 1;
                    }
                }
            }
        }
    }
}
