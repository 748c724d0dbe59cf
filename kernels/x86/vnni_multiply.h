// SPDX-License-Identifier: Apache-2.0
// The multiply of AVX-512-VNNI and AVX-VNNI as single instructions. A template; who includes it
// defines
//   VNNI_DOT       the instruction: "vpdpbusd" (EVEX) or "%{vex%} vpdpbusd"
//   VNNI_REGISTER  the constraint of a vector register: "v" or "x"
//   DOT_VECTOR    its type
//
// The multiply is written as asm because compilers, left alone, copy and spill the accumulators of
// a tile: here an accumulator is one register from the first instruction to the last. vpdpbusd
// takes unsigned bytes from a register and signed ones from a register or memory, so that
// activations (u8) must be broadcast into a register, and only weights (s8) could be a memory
// operand.
#ifndef VNNI_DOT
#error "VNNI_DOT: the instruction"
#endif
#ifndef VNNI_REGISTER
#error "VNNI_REGISTER: the constraint of a vector register"
#endif
#ifndef DOT_VECTOR
#error "DOT_VECTOR: the type of a vector register"
#endif

typedef char vnni_bytes[1 << 30]; // what an asm may read, for the compiler's knowledge of memory

// Four bytes of row `times` (0 … 4) counted from p, group k: strides s and s3 = 3·s reach five rows
// from one register.
#define VNNI_AT_0 "(%[p])"
#define VNNI_AT_1 "(%[p],%[s])"
#define VNNI_AT_2 "(%[p],%[s],2)"
#define VNNI_AT_3 "(%[p],%[s3])"
#define VNNI_AT_4 "(%[p],%[s],4)"
#define VNNI_BROADCAST(times, k) "vpbroadcastd 4*" #k VNNI_AT_##times ", %[four]\n\t"
#define VNNI_ROW(p_, s_, s3_) \
    [p] "r"(p_), [s] "r"(s_), [s3] "r"(s3_), "m"(*(const vnni_bytes *)(p_))

// acc0 += row·b0, acc1 += row·b1: one broadcast serves two vectors of weights.
#define MULTIPLY_2(p_, s_, s3_, times, k, b0_, b1_, acc0, acc1)                             \
    do {                                                                                    \
        DOT_VECTOR four_;                                                                   \
        __asm__(VNNI_BROADCAST(times, k) VNNI_DOT " %[b0], %[four], %0\n\t" VNNI_DOT        \
                                                  " %[b1], %[four], %1"                     \
                : "+" VNNI_REGISTER(acc0),                                                  \
                  "+" VNNI_REGISTER(acc1), [four] "=&" VNNI_REGISTER(four_)                 \
                : VNNI_ROW(p_, s_, s3_), [b0] VNNI_REGISTER(b0_), [b1] VNNI_REGISTER(b1_)); \
    } while (0)

#define MULTIPLY_1(p_, s_, s3_, times, k, b_, acc)                         \
    do {                                                                   \
        DOT_VECTOR four_;                                                  \
        __asm__(VNNI_BROADCAST(times, k) VNNI_DOT " %[b], %[four], %0"     \
                : "+" VNNI_REGISTER(acc), [four] "=&" VNNI_REGISTER(four_) \
                : VNNI_ROW(p_, s_, s3_), [b] VNNI_REGISTER(b_));           \
    } while (0)

// acc += four·b with the four bytes broadcast before, and weights straight from memory.
#define MULTIPLY_FROM(four, b, acc)  \
    __asm__(VNNI_DOT " %2, %1, %0"   \
            : "+" VNNI_REGISTER(acc) \
            : VNNI_REGISTER(four), "m"(*(const DOT_VECTOR *)(b)))
