// SPDX-License-Identifier: Apache-2.0
// Who races: the default, each kernel's best plan, the plans that the model likes best, and what
// tables say of this layer and its neighbours.
#ifndef QUERNEL_TUNE_FINALISTS_H
#define QUERNEL_TUNE_FINALISTS_H

#include "plan/space.h"
#include "table/table.h"
#include "tune/search/contest.h"

/// The plans of the contest's layer with kernels of `usable`, best by the model first; the caller
/// frees them. NULL without memory.
quernel_i_candidate *finalists_list(const contest *c, uint32_t usable, uint32_t moves,
                                    size_t *ret_count);

/// Adds up to `max` variants to a contest that holds its default. `tables` end with NULL. Returns
/// how many plans the space holds. A variant with other bits than the default is reported on stderr
/// with a line that replays it.
size_t finalists_add(contest *c, uint32_t max, uint32_t moves,
                     const quernel_i_table *const *tables);

/// The newest row for exactly this layer, machine and kernel revision; NULL where there is none.
const quernel_i_row *finalists_own_row(const contest *c, const quernel_i_table *const *tables);

#endif
