// SPDX-License-Identifier: Apache-2.0
// Tuning tables as the library reads them, and why an operator runs as it does. Measuring and
// writing tables is the `quernel` program's work: the library never tunes, and writes only the
// misses file that QUERNEL_RECORD_MISSES names.
//
// A plan is chosen when an operator is created: by its descriptor's config, else by a row for its
// exact shape, else by a row of its own bucket, else by the nearest row within an octave, else by
// the model. Among rows of one kind the tables go in this order: quernel_table_set, the file
// QUERNEL_TABLE (the word "none": no table at all), $XDG_CONFIG_HOME/quernel/tables.d/*.qtn,
// $XDG_CACHE_HOME/quernel/tuned.qtn, the site's tables.d, the table built into the library. They
// are read once, at the first create, into memory of the C library that the process keeps. A
// set-uid process ignores the environment and the user's files. No choice changes a bit of a
// result.
#ifndef QUERNEL_TUNE_H
#define QUERNEL_TUNE_H

#include "operator.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Where a plan came from.
typedef enum quernel_choice_from {
    QUERNEL_FROM_MODEL = 0,
    QUERNEL_FROM_CONFIG = 1, ///< the descriptor's
    QUERNEL_FROM_TABLE = 2
} quernel_choice_from;

/// How near a row's layer is to the operator's.
typedef enum quernel_match {
    QUERNEL_MATCH_NONE = 0,
    QUERNEL_MATCH_NEAR = 1,   ///< m, n and k each within a factor of 2
    QUERNEL_MATCH_BUCKET = 2, ///< the same powers of two nearest to m, n and k
    QUERNEL_MATCH_EXACT = 3
} quernel_match;

/// What the tuner's race for a row ended with.
typedef enum quernel_verdict {
    QUERNEL_VERDICT_DEFAULT = 0, ///< nothing was raced: the default is kept
    QUERNEL_VERDICT_TIE = 1,     ///< nothing is surely faster than the default, which is kept
    QUERNEL_VERDICT_WIN = 2
} quernel_verdict;

/// How much the tuner looked at before it wrote a row.
typedef enum quernel_effort {
    QUERNEL_EFFORT_ESTIMATE = 0, ///< the model's choice, nothing timed
    QUERNEL_EFFORT_MEASURE = 1,
    QUERNEL_EFFORT_PATIENT = 2,
    QUERNEL_EFFORT_EXHAUSTIVE = 3
} quernel_effort;

/// What was chosen for an operator, and the evidence. Without a row its values are 0 and its texts
/// empty.
typedef struct quernel_plan_choice {
    uint32_t size;       ///< sizeof, set by QUERNEL_PLAN_CHOICE_INIT
    int32_t from;        ///< quernel_choice_from
    int32_t match;       ///< quernel_match
    int32_t verdict;     ///< quernel_verdict
    double predicted_ns; ///< of one run, by the model
    /// of the row: the default's and the winner's time; 0 where a whole network was timed
    double base_ns, best_ns;
    /// of the row: base over best (of networks where one was timed), median of paired rounds and
    /// its 95 % interval
    double ratio, lo, hi;
    uint32_t rounds;
    char table[256]; ///< path, "quernel_table_set" or "embedded"
    char date[24];   ///< of the row
    char lost[256]; ///< of the row: what was raced and lost, "key=value …@ratio" separated by ';'
} quernel_plan_choice;
#define QUERNEL_PLAN_CHOICE_INIT                                                   \
    {                                                                              \
        sizeof(quernel_plan_choice), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}, { 0 } \
    }
#define QUERNEL_PLAN_CHOICE_MIN 608 ///< bytes of its first layout

/// A plan that the operator could have had, and what the model predicts for it. Frozen.
typedef struct quernel_plan_candidate {
    char config[320]; ///< accepted by a descriptor's config
    double predicted_ns;
    uint64_t reserved[2]; ///< 0
} quernel_plan_candidate;

/// One table of this process. Frozen.
typedef struct quernel_table_info {
    char path[256];
    uint32_t good, bad;   ///< rows that can be read, and lines that cannot
    char wrong[64];       ///< why nothing was read, or ""
    uint64_t reserved[2]; ///< 0
} quernel_table_info;

/// How often plans of this process were chosen, and why rows were not taken.
typedef struct quernel_table_counters {
    uint32_t size; ///< sizeof, set by QUERNEL_TABLE_COUNTERS_INIT
    /// operators created by a row of that kind, and without one
    uint64_t exact, bucket, near, missed;
    uint64_t no_kernel;  ///< rows whose kernel or keys this library does not have
    uint64_t other_isa;  ///< rows whose instruction set may not be used
    uint64_t other_krev; ///< rows of another revision of their kernel
    /// rows of another class of machine, or of one with other rates
    uint64_t other_machine;
    uint64_t not_legal; ///< rows whose config is not legal for the layer
    /// rows of other shapes that the model thinks worse than its own choice
    uint64_t vetoed;
} quernel_table_counters;
#define QUERNEL_TABLE_COUNTERS_INIT \
    { sizeof(quernel_table_counters), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define QUERNEL_TABLE_COUNTERS_MIN 88 ///< bytes of its first layout

/// Gives this process a table that is searched before all others: `bytes` bytes of .qtn text,
/// copied. NULL takes it away. Lines that are no rows are left out and counted. Operators that
/// exist keep their plans.
/// Returns QUERNEL_OK; QUERNEL_E_MEMORY.
/// Threads: any.
QUERNEL_API int quernel_table_set(const char *text, size_t bytes, quernel_error *error);

/// Fills up to `capacity` entries in the order in which tables are searched.
/// Returns how many tables there are.
/// Threads: any.
QUERNEL_API size_t quernel_tables_get(quernel_table_info *ret_tables, size_t capacity);

/// Fills the counters.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (size).
/// Threads: any.
QUERNEL_API int quernel_table_counters_get(quernel_table_counters *ret_counters);

/// What was chosen for this operator, as values.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (size); QUERNEL_E_UNSUPPORTED (an operator
/// that is no product has no plan).
/// Threads: any. Example: examples/explain.c.
QUERNEL_API int quernel_operator_choice(const quernel_operator *op,
                                        quernel_plan_choice *ret_choice);

/// Plans that the operator could have had, the best by the model first. Allocates memory from the C
/// library while it runs.
/// Returns how many were filled, `capacity` at most; 0 where there is no memory, or no plan.
/// Threads: any.
QUERNEL_API size_t quernel_operator_candidates(const quernel_operator *op,
                                               quernel_plan_candidate *ret_candidates,
                                               size_t capacity);

/// Writes the whole explanation as lines of text, always terminated where capacity > 0: what runs,
/// where it came from, which tables were searched and why each row that was looked at was not
/// taken, what else could run and what the model predicts for it, how to override. Of an operator
/// without a plan: what quernel_operator_explain says.
/// Returns the length of the whole text without its terminator; 0 for NULL.
/// Threads: any. Example: examples/explain.c.
QUERNEL_API size_t quernel_operator_report(const quernel_operator *op, char *text, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
