// SPDX-License-Identifier: Apache-2.0
// What every part of Quernel's interface shares: status, errors, element types, allocator, threads, log.
#ifndef QUERNEL_COMMON_H
#define QUERNEL_COMMON_H

#include <stddef.h>
#include <stdint.h>

#include "version.h"

#if defined(__GNUC__)
#define QUERNEL_API __attribute__((visibility("default")))
#else
#define QUERNEL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Result of every call that can refuse: 0, or one of these negative values. The values never change.
/// On failure nothing is written, except to the `quernel_error` that the caller handed in.
typedef enum quernel_status {
    QUERNEL_OK = 0,
    QUERNEL_E_NULL = -1,       ///< a pointer that must not be NULL is NULL
    QUERNEL_E_VALUE = -2,      ///< a value outside its range: enum, flag, zero point, scale, non-finite number
    QUERNEL_E_SHAPE = -3,      ///< a size that is zero or too large, or sizes that do not fit one another
    QUERNEL_E_STRIDE = -4,     ///< a stride that is not positive or makes elements overlap
    QUERNEL_E_OVERFLOW = -5,   ///< a size in bytes overflows, or an accumulator could leave int32
    QUERNEL_E_ALIGN = -6,      ///< a pointer that is not aligned as asked
    QUERNEL_E_WORKSPACE = -7,  ///< the workspace is too small
    QUERNEL_E_OVERLAP = -8,    ///< buffers overlap that must not
    QUERNEL_E_MEMORY = -9,     ///< the allocator returned NULL
    QUERNEL_E_BLOB = -10,      ///< a saved blob is truncated, corrupted or of another format
    QUERNEL_E_UNSUPPORTED = -11, ///< a legal combination that this version does not offer
    QUERNEL_E_ISA = -12        ///< the asked instruction set was not compiled or cannot run here
} quernel_status;

/// Name of a status in words, e.g. "QUERNEL_E_SHAPE: a size is zero or too large". Never NULL; static storage.
QUERNEL_API const char *quernel_status_string(int status);

/// Why a call refused. Filled on failure only, where the caller hands in a pointer (NULL: not wanted).
typedef struct quernel_error {
    int32_t code;          ///< a quernel_status
    int32_t index;         ///< element, channel or dimension the message names, or -1
    char argument[32];     ///< name of the argument or member, e.g. "stride_h"
    char text[160];        ///< one line with the value, e.g. "conv2d: stride_h: 0: must be 1 or more"
} quernel_error;

/// Element types. The default, 0, is f32.
typedef enum quernel_type {
    QUERNEL_TYPE_F32 = 0,
    QUERNEL_TYPE_BF16 = 1, ///< upper half of a binary32, as uint16_t
    QUERNEL_TYPE_S32 = 2,
    QUERNEL_TYPE_S8 = 3,
    QUERNEL_TYPE_U8 = 4
} quernel_type;

/// Bytes of one element, 0 for an unknown type.
QUERNEL_API size_t quernel_type_size(quernel_type type);

/// Name of a type as the command line spells it ("f32"), or NULL.
QUERNEL_API const char *quernel_type_name(quernel_type type);

/// Where `create` takes its memory from. `alignment` is a power of two of at most 4096. Both functions may be called
/// from the thread that calls create, retain or release, never from run. A NULL allocator pointer means the C library
/// (on Linux it asks for huge pages for the whole ones in blocks of 4 MiB and more: madvise, MADV_HUGEPAGE).
/// Only the process's tuning tables (tune.h) are kept elsewhere.
typedef struct quernel_allocator {
    void *(*allocate)(void *user, size_t bytes, size_t alignment); ///< NULL on failure
    void (*release)(void *user, void *memory, size_t bytes);       ///< with the size that was asked for
    void *user;
} quernel_allocator;

/// Runs `task(arg, i, worker)` once for every i < tasks and returns when all have finished. `worker` is smaller than the
/// `threads` of the operator's descriptor, and no two tasks run at the same time with the same worker: it picks the
/// slice of the workspace. Running all tasks on one worker, in any order, is legal: the result is the same.
typedef void quernel_parallel_for(void *user, uint32_t tasks, void (*task)(void *arg, uint32_t task, uint32_t worker),
                                  void *arg);

/// How a run is spread over threads: NULL, or one whose `run` is NULL, runs everything on the calling thread.
typedef struct quernel_parallel {
    quernel_parallel_for *run;
    void *user;
    uint32_t threads; ///< workers that `run` uses at most; a run refuses more than its operator's threads. 0: not said
} quernel_parallel;

/// The built-in pool: `threads - 1` sleeping threads and the caller. One run at a time uses it; a second one that comes
/// meanwhile runs on its own calling thread.
typedef struct quernel_pool quernel_pool;
QUERNEL_API int quernel_pool_create(uint32_t threads, quernel_pool **ret_pool, quernel_error *error);
/// Waits until its threads have ended. NULL is allowed. No run may be using the pool.
QUERNEL_API void quernel_pool_destroy(quernel_pool *pool);
/// The pool as a quernel_parallel, valid until the pool is destroyed.
QUERNEL_API quernel_parallel quernel_pool_parallel(quernel_pool *pool);

/// Receives one line of text at a time, without a newline. NULL (the default) drops them. Process-wide; set it before
/// other threads use the library. The library itself never writes to a stream.
typedef void quernel_log(void *user, const char *line);
QUERNEL_API void quernel_set_log(quernel_log *log, void *user);

/// "0.1.0".
QUERNEL_API const char *quernel_version(void);

#ifdef __cplusplus
}
#endif

#endif
