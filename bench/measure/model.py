# SPDX-License-Identifier: Apache-2.0
"""The table of Arm's kernels, which no Arm processor has timed: bench/mca.py counts them by a
model."""

NAME = "arm-model"
# Multiply-adds a cycle that a core reaches at best by each instruction set that it has: the pipes
# that multiply, by the products of an instruction; of base NEON 16 by two multiplications and the
# addition of their sums.
CORES: dict[str, dict[str, float]] = {
    "neoverse-n1": {"neon": 8, "dotprod": 32},
    "neoverse-n2": {"neon": 32 / 3, "dotprod": 32, "i8mm": 64},
    "neoverse-v1": {"neon": 16, "dotprod": 64, "i8mm": 128},
    "neoverse-v2": {"neon": 16, "dotprod": 64, "i8mm": 128},
    "cortex-a55": {"neon": 16 / 3, "dotprod": 16},
}


def _best(loops):
    """The most of each core that a loop of a kernel reaches."""
    return [max(figures) if None not in figures else None for figures in zip(*loops)]


def _cell(kernel, figure, bounds):
    if figure is None:
        return "-"
    bound = bounds[kernel.partition("/")[0]]
    share = f" ({100 * figure / bound:.0f} %)" if "/gemm" in kernel else ""
    return f"{figure:.1f}{share}"


def kernels(found):
    """A line for each kernel: its fastest loop on each core."""
    by_kernel = {}
    for loop, (_, _, _, *reached) in found["loops"].items():
        by_kernel.setdefault(loop.split()[0], []).append(reached)
    yield f"A model, nothing measured: {found['model']}, code of {found['compiler']}."
    yield ""
    yield f"| multiply-adds a cycle | {' | '.join(found['cores'])} |"
    yield "|---" * (1 + len(found["cores"])) + "|"
    for kernel, loops in sorted(by_kernel.items()):
        best = zip(_best(loops), (CORES[core] for core in found["cores"]))
        yield f"| {kernel} | {' | '.join(_cell(kernel, *one) for one in best)} |"


TABLES = {"kernels": kernels}
