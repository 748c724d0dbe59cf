// SPDX-License-Identifier: Apache-2.0
// The model: what a plan will cost, from counts of work and the machine's rates. It ranks plans
// where nothing was measured.
#ifndef QUERNEL_PLAN_MODEL_H
#define QUERNEL_PLAN_MODEL_H

#include "plan/plan.h"

/// What a plan does, per thread that has the most to do. Each is multiplied by a rate; the sum is
/// the time.
typedef enum quernel_i_work {
    QUERNEL_I_WORK_MACS,    ///< nanoseconds of the multiply-adds, tails of register tiles included,
                            ///< at the instruction set's rate
    QUERNEL_I_WORK_CALLS,   ///< kernel calls
    QUERNEL_I_WORK_TILES,   ///< register tiles: each is set up, has its epilogue and is stored
    QUERNEL_I_WORK_WIDENED, ///< bytes of rows that a kernel expands or reads again for each block
                            ///< of output channels
    QUERNEL_I_WORK_B_L2,    ///< bytes of weights read from L2
    QUERNEL_I_WORK_B_FAR,   ///< bytes of weights read from beyond L2
    QUERNEL_I_WORK_A_FAR,   ///< bytes of rows read from beyond L2
    QUERNEL_I_WORK_PREPARED,  ///< bytes of weights brought into the kernel's own form
    QUERNEL_I_WORK_COPIED,    ///< bytes of strips copied from an int8 input
    QUERNEL_I_WORK_QUANTIZED, ///< values of a float input quantized
    QUERNEL_I_WORK_PACKED,    ///< bytes of im2col rows gathered
    QUERNEL_I_WORK_STORED,    ///< bytes of the output
    QUERNEL_I_WORK_COUNT
} quernel_i_work;

/// Counts the work of a plan.
void quernel_i_model_count(const quernel_i_problem *problem, const quernel_i_plan *plan,
                           const quernel_i_machine *machine, double work[QUERNEL_I_WORK_COUNT]);

/// Nanoseconds that one run is predicted to take.
double quernel_i_model_ns(const quernel_i_problem *problem, const quernel_i_plan *plan,
                          const quernel_i_machine *machine);

/// Nanoseconds per unit of each kind of work, as fitted to the landscapes (tune/landscapes).
extern const double quernel_i_model_rates[QUERNEL_I_WORK_COUNT];

#endif
