# SPDX-License-Identifier: Apache-2.0
"""Shows what the rules about built files find: symbols, instructions of a higher set, spills."""

import binary

LOOP = (
    "0000000000000000 <f>:\n   0:\tvpmaddwd %ymm1,%ymm2,%ymm3\n{}   9:\tjne    0 <f>\n   b:\tret\n"
)
SPILL = "   4:\tvmovdqa %ymm3,0x20(%rsp)\n"


def symbol_trials():
    yield (
        "exports: an internal name",
        binary.bad_exports(["quernel_run", "quernel_i_x"]) == ["quernel_i_x"],
    )
    yield (
        "linkage: a name without prefix",
        binary.bad_linkage(["helper", "quernel_i_x"]) == ["helper"],
    )
    yield "calls: malloc in a kernel", binary.bad_calls("avx2", ["memcpy", "malloc"]) == ["malloc"]
    yield (
        "calls: fmaf is for ref alone",
        binary.bad_calls("avx2", ["fmaf"]) and not binary.bad_calls("ref", ["fmaf"]),
    )
    yield (
        "streams: printf",
        binary.FORBIDDEN.match("fprintf") and not binary.FORBIDDEN.match("vsnprintf"),
    )
    yield "streams: an assert in a release", binary.FORBIDDEN.match("__assert_fail")
    two = ["CreateEpFactories", "ReleaseEpFactory"]
    yield (
        "plugin: a third export, a missing one, a stream",
        binary.bad_plugin([two[0], "quernel_run"], ["stderr", "fputs"])
        == ["ReleaseEpFactory", "quernel_run", "stderr"]
        and not binary.bad_plugin(two, ["fopen64"]),
    )
    yield (
        "files: write in a plan",
        binary.bad_writers([("src_plan_plan.c.o", ["write"])])
        and not binary.bad_writers([("src_table_misses.c.o", ["write"])]),
    )


def leak_trials():
    yield "leaks: AVX in the baseline", binary.leaks("", "   0:\tvaddps %xmm0,%xmm1,%xmm2")
    yield "leaks: zmm in AVX2", binary.leaks("avx2", "   0:\tvpaddd %zmm0,%zmm1,%zmm2")
    yield "leaks: vpdpwssd in AVX2", binary.leaks("avx2", "   0:\tvpdpwssd %ymm0,%ymm1,%ymm2")
    yield (
        "leaks: EVEX vpdpbusd in AVX-VNNI",
        binary.leaks("avxvnni", "   0:\tvpdpbusd %ymm0,%ymm1,%ymm2"),
    )
    yield (
        "leaks: VEX vpdpbusd in AVX-VNNI is fine",
        not binary.leaks("avxvnni", "   0:\t{vex} vpdpbusd %ymm0,%ymm1,%ymm2"),
    )
    yield "leaks: tiles in AVX-512", binary.leaks("avx512vnni", "   0:\ttdpbusd %tmm7,%tmm6,%tmm0")
    yield "leaks: sdot in NEON", binary.leaks("neon", "   0:\tsdot\tv8.4s, v6.16b, v0.4b[0]")
    yield "leaks: smmla in dot products", binary.leaks("dotprod", "   0:\tsmmla\tv8.4s, v0.16b")
    yield "leaks: sudot of i8mm is fine", not binary.leaks("i8mm", "   0:\tsudot\tv8.4s, v6.16b")
    yield (
        "leaks: SSE in the baseline is fine",
        not binary.leaks("", "   0:\taddps %xmm0,%xmm1\n   4:\tverw %ax"),
    )


def spill_trials():
    loops = binary.functions(LOOP.format(SPILL))["f"]
    yield (
        "spills: a vector store to the stack",
        [binary.spills(b) for b in binary.inner_loops(loops)] == [["vmovdqa %ymm3,0x20(%rsp)"]],
    )
    yield (
        "spills: a clean loop",
        binary.inner_loops(binary.functions(LOOP.format(""))["f"])
        and not binary.spills(["vmovdqa (%rsp),%ymm3"]),
    )
    yield "spills: AArch64", binary.spills(["str\tq3, [sp, #16]"])


def product_trials():
    smull, sdot, smmla = (f"{name}\tv0.4s, v1.16b, v2.16b" for name in "smull sdot smmla".split())

    def found(isa, kernel, *bodies):
        loops = {("f", number): [body] for number, body in enumerate(bodies)}
        return list(binary.strange_products(isa, kernel, loops))

    yield "products: no loop of the kernel's own", found("dotprod", "gemm_6x16x4", smull)
    yield "products: a second loop of another set", found("i8mm", "gemm_6x16x8", smmla, sdot)
    yield "products: 4 k a step by dot products", not found("i8mm", "gemv_4x16x4", sdot)
    yield "products: depthwise has two ways", not found("dotprod", "depthwise", smull, sdot)
    yield "products: but one is its own", found("dotprod", "depthwise", smull)
    yield "products: addresses are no products", found("neon", "gemm", "smull\tx0, w1, w2")
    yield "products: pools have none", not found("neon", "pool_1x16x1")


def trials():
    return [*symbol_trials(), *leak_trials(), *spill_trials(), *product_trials()]
