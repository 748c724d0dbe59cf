// SPDX-License-Identifier: Apache-2.0
// The rows of a register tile: op(row, pointer, times, k), where a row's address is that pointer's
// plus as many strides.
#ifndef QUERNEL_AVX512VNNI_QUANTIZE_ROWS_H
#define QUERNEL_AVX512VNNI_QUANTIZE_ROWS_H

#define ROWS_1(op, k) op(0, p0, 0, k)
#define ROWS_2(op, k) ROWS_1(op, k) op(1, p0, 1, k)
#define ROWS_3(op, k) ROWS_2(op, k) op(2, p0, 2, k)
#define ROWS_4(op, k) ROWS_3(op, k) op(3, p0, 3, k)
#define ROWS_5(op, k) ROWS_4(op, k) op(4, p0, 4, k)
#define ROWS_6(op, k) ROWS_5(op, k) op(5, p5, 0, k)
#define ROWS_7(op, k) ROWS_6(op, k) op(6, p5, 1, k)
#define ROWS_8(op, k) ROWS_7(op, k) op(7, p5, 2, k)
#define ROWS_9(op, k) ROWS_8(op, k) op(8, p5, 3, k)
#define ROWS_10(op, k) ROWS_9(op, k) op(9, p5, 4, k)
#define ROWS_11(op, k) ROWS_10(op, k) op(10, p10, 0, k)
#define ROWS_12(op, k) ROWS_11(op, k) op(11, p10, 1, k)
#define ROWS_13(op, k) ROWS_12(op, k) op(12, p10, 2, k)
#define ROWS_14(op, k) ROWS_13(op, k) op(13, p10, 3, k)
#define ROWS_15(op, k) ROWS_14(op, k) op(14, p10, 4, k)
#define ROWS_16(op, k) ROWS_15(op, k) op(15, p15, 0, k)
#define ROWS_17(op, k) ROWS_16(op, k) op(16, p15, 1, k)
#define ROWS_18(op, k) ROWS_17(op, k) op(17, p15, 2, k)
#define ROWS_19(op, k) ROWS_18(op, k) op(18, p15, 3, k)
#define ROWS_20(op, k) ROWS_19(op, k) op(19, p15, 4, k)
#define ROWS_21(op, k) ROWS_20(op, k) op(20, p20, 0, k)
#define ROWS_22(op, k) ROWS_21(op, k) op(21, p20, 1, k)
#define ROWS_23(op, k) ROWS_22(op, k) op(22, p20, 2, k)
#define ROWS_24(op, k) ROWS_23(op, k) op(23, p20, 3, k)

#define ROWS_EACH_14(op) \
    op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14)
#define ROWS_EACH_24(op) \
    ROWS_EACH_14(op) op(15) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24)

#endif
