// SPDX-License-Identifier: Apache-2.0
// Runs operators that work element by element.
#ifndef QUERNEL_EXEC_ELTWISE_H
#define QUERNEL_EXEC_ELTWISE_H

#include "exec/nest.h"
#include "kernels/ukr.h"
#include "quernel/threads.h"

/// All that is known before a run. Made by `op`, const from then on.
typedef struct quernel_i_eltwise_work {
    quernel_i_nest nest;
    const quernel_i_kernel *kernel; // of ELTWISE, LOOKUP, QUANTIZE_NCHW or EPILOGUE
    const quernel_i_kernel *lines;  // of ELTWISE, for calls of lines; or NULL
    // ELTWISE: without addresses, strides and sizes, which each block has from the nest
    int32_t combine;
    quernel_i_elements x, z;
    // of QUANTIZE_NCHW out_scale and the bounds alone, of EPILOGUE scale and bias
    quernel_i_epilogue epilogue;
    const uint8_t *table; // LOOKUP: [256], or [channels][256], or NULL
    quernel_tensor y;
    uint8_t border; // the code there
} quernel_i_eltwise_work;

typedef struct quernel_i_eltwise_buffers {
    const void *x, *z;
    void *y;
} quernel_i_eltwise_buffers;

void quernel_i_eltwise_run(const quernel_i_eltwise_work *work,
                           const quernel_i_eltwise_buffers *buffers,
                           const quernel_parallel *parallel);

/// Bytes from one of the tables of LOOKUP to the next.
enum { QUERNEL_I_ELTWISE_TABLE = 256 };

#endif
