// SPDX-License-Identifier: Apache-2.0
// What every part of Quernel's interface shares: status, errors, element types, allocator, log,
// versions.
//
// How structs grow. A program may meet a library that is older or newer than its headers:
//
//   sized    begins with `uint32_t size`, set by its _INIT; new members are added at its end.
//            Handed in, it may be smaller than the library's, down to its _MIN, the size of its
//            first layout: what it lacks is as _INIT has it. It may be larger where all bytes that
//            the library does not know are 0; else QUERNEL_E_VALUE, "size". Handed out, only its
//            `size` bytes are written, and bytes that the library does not know are left alone.
//            In an array all elements have the same size, which is the distance from one to the
//            next.
//   frozen   has no size, because it is a member or an array's element: its layout never changes.
//            `reserved` must be 0 (refused by name): later members will be made of it. Handed out,
//            it is 0.
//
// Every call that can refuse returns QUERNEL_OK or one of the statuses that its comment lists, and
// takes a `quernel_error` last, which may be NULL. All that is here is since version 1 of the
// interface (QUERNEL_API_VERSION), unless a comment names another one.
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

/// Result of every call that can refuse: 0, or one of these negative values, which never change. On
/// failure nothing is written, except to the `quernel_error` that the caller handed in.
typedef enum quernel_status {
    QUERNEL_OK = 0,
    QUERNEL_E_NULL = -1, ///< a pointer that must not be NULL is NULL
    /// a value outside its range: enum, flag, zero point, scale, NaN or infinity
    QUERNEL_E_VALUE = -2,
    /// a size that is zero or too large, or sizes that do not fit one another
    QUERNEL_E_SHAPE = -3,
    QUERNEL_E_STRIDE = -4,       ///< a stride that is not positive or makes elements overlap
    QUERNEL_E_OVERFLOW = -5,     ///< a size in bytes overflows, or an accumulator could leave int32
    QUERNEL_E_ALIGN = -6,        ///< a pointer that is not aligned as it must be
    QUERNEL_E_WORKSPACE = -7,    ///< the workspace is too small
    QUERNEL_E_OVERLAP = -8,      ///< buffers overlap that must not
    QUERNEL_E_MEMORY = -9,       ///< the allocator returned NULL
    QUERNEL_E_BLOB = -10,        ///< a saved blob is truncated, corrupted or of another format
    QUERNEL_E_UNSUPPORTED = -11, ///< a legal combination that this version does not offer
    QUERNEL_E_ISA = -12          ///< the instruction set was not compiled or cannot run here
} quernel_status;

/// A status in words, as "QUERNEL_E_SHAPE: a size is zero or too large".
/// Returns static text, also for an unknown value; never NULL.
/// Threads: any.
QUERNEL_API const char *quernel_status_string(int status);

/// Why a call refused. Filled on failure only. The text is one line of ASCII. Frozen.
typedef struct quernel_error {
    int32_t code;      ///< a quernel_status
    int32_t index;     ///< element, channel or dimension that the message names, or -1
    char argument[32]; ///< name of the argument or member, e.g. "stride_h"
    /// one line with the value, e.g. "conv2d: stride_h: 0: must be 1 or more"
    char text[160];
} quernel_error;

/// Element types. The default, 0, is f32.
typedef enum quernel_type {
    QUERNEL_TYPE_F32 = 0,
    QUERNEL_TYPE_BF16 = 1, ///< upper half of a binary32, as uint16_t
    QUERNEL_TYPE_S32 = 2,
    QUERNEL_TYPE_S8 = 3,
    QUERNEL_TYPE_U8 = 4
} quernel_type;

/// Size of one element.
/// Returns bytes; 0 for an unknown type.
/// Threads: any.
QUERNEL_API size_t quernel_type_size(quernel_type type);

/// Name of a type as the command line spells it: "f32".
/// Returns static text; NULL for an unknown type.
/// Threads: any.
QUERNEL_API const char *quernel_type_name(quernel_type type);

/// Where `create` takes its memory from. `alignment` is a power of two of at most 4096. Both
/// functions may be called from the thread that calls create, retain or release, never from run.
/// NULL in place of an allocator means the C library; blocks of 4 MiB and more are then aligned to
/// huge pages, which Linux is advised to use (MADV_HUGEPAGE). Only the process's tuning tables
/// (tune.h) and the pool (threads.h) are kept elsewhere. Frozen.
typedef struct quernel_allocator {
    void *(*allocate)(void *user, size_t bytes, size_t alignment); ///< NULL on failure
    /// `bytes`: as allocate was given
    void (*release)(void *user, void *memory, size_t bytes);
    void *user;
    uint64_t reserved[2]; ///< 0
} quernel_allocator;
#define QUERNEL_ALLOCATOR_INIT     \
    {                              \
        NULL, NULL, NULL, { 0, 0 } \
    }

/// Receives one line of text at a time, without a newline.
typedef void quernel_log_fn(void *user, const char *line);

/// Sets where the process's log goes; NULL (the default) drops it. The library itself never writes
/// to a stream.
/// Threads: before other threads use the library.
QUERNEL_API void quernel_set_log(quernel_log_fn *log, void *user);

/// Version of the library that runs, which may be newer than the headers: "0.1.0".
/// Returns static text. Threads: any.
QUERNEL_API const char *quernel_version(void);

/// QUERNEL_API_VERSION of the library that runs. A program that was compiled with a smaller one
/// runs with it.
/// Threads: any.
QUERNEL_API uint32_t quernel_api_version(void);

#ifdef __cplusplus
}
#endif

#endif
