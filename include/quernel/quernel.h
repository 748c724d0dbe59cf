// SPDX-License-Identifier: Apache-2.0
// Quernel: exact int8 layers on CPUs. This header includes all others.
#ifndef QUERNEL_H
#define QUERNEL_H

#include "common.h"
#include "conv2d.h"
#include "cpu.h"
#include "eltwise.h"
#include "epilogue.h"
#include "fold.h"
#include "gemm.h"
#include "linear.h"
#include "matmul.h"
#include "network.h"
#include "normalize.h"
#include "observe.h"
#include "operator.h"
#include "pool2d.h"
#include "ptq.h"
#include "quant.h"
#include "resize2d.h"
#include "shuffle2d.h"
#include "smooth.h"
#include "tensor.h"
#include "threads.h"
#include "tune.h"
#include "version.h"
#include "weights.h"

#endif
