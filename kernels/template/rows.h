// SPDX-License-Identifier: Apache-2.0
// The rows of a register tile: op(row, pointer, times, k), where a row's address is that pointer's
// plus as many strides.
#ifndef QUERNEL_TEMPLATE_ROWS_H
#define QUERNEL_TEMPLATE_ROWS_H

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
#define ROWS_EACH_12(op) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12)
#define ROWS_EACH_14(op) ROWS_EACH_12(op) op(13) op(14)

#endif
