// SPDX-License-Identifier: Apache-2.0
// What the register tiles of the NEON products have in common: a row's 16 sums are 8 accumulators
// of 2 oc and 2 pair sums each, from v8, v16 or v24 on; 4 addp join the pairs at the end.
#ifndef QUERNEL_NEON_TILE_SUMS_H
#define QUERNEL_NEON_TILE_SUMS_H

enum {
    TILE_MR = 3,
    TILE_NR = 16,
};

#define SMULL(t, a, b) "smull v" #t ".8h, v" #a ".8b, v" #b ".8b\n\t"
#define SADALP(acc, t) "sadalp v" #acc ".4s, v" #t ".8h\n\t"
#define ZERO(v) "movi v" #v ".4s, #0\n\t"
#define ZERO_8(a, b, c, d, e, f, g, h) \
    ZERO(a) ZERO(b) ZERO(c) ZERO(d) ZERO(e) ZERO(f) ZERO(g) ZERO(h)
#define ZERO_ROW_0 ZERO_8(8, 9, 10, 11, 12, 13, 14, 15)
#define ZERO_ROW_1 ZERO_8(16, 17, 18, 19, 20, 21, 22, 23)
#define ZERO_ROW_2 ZERO_8(24, 25, 26, 27, 28, 29, 30, 31)

// acc[16] of a row += its 8 accumulators. v0 … v7 are free.
#define ADDP(to, other) "addp v" #to ".4s, v" #to ".4s, v" #other ".4s\n\t"
#define ADD(to, other) "add v" #to ".4s, v" #to ".4s, v" #other ".4s\n\t"
// clang-format off
#define REDUCE(at, a, b, c, d, e, f, g, h)                                                      \
    "ldp q0, q1, [%[t], #" #at "]\n\tldp q2, q3, [%[t], #" #at "+32]\n\t" ADDP(a, b) ADDP(c, d) \
    ADDP(e, f) ADDP(g, h)                                                                       \
    ADD(a, 0) ADD(c, 1) ADD(e, 2) ADD(g, 3) "stp q" #a ", q" #c ", [%[t], #" #at "]\n\t"        \
    "stp q" #e ", q" #g ", [%[t], #" #at "+32]\n\t"
// clang-format on
#define REDUCE_ROW_0 REDUCE(0, 8, 9, 10, 11, 12, 13, 14, 15)
#define REDUCE_ROW_1 REDUCE(64, 16, 17, 18, 19, 20, 21, 22, 23)
#define REDUCE_ROW_2 REDUCE(128, 24, 25, 26, 27, 28, 29, 30, 31)

#define TILE_CLOBBERS                                                                              \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",      \
        "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", \
        "v25", "v26", "v27", "v28", "v29", "v30", "v31"

#endif
