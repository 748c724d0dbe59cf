// SPDX-License-Identifier: Apache-2.0
// Making units: a draft collects nodes and steps, and becomes a unit where all of it is understood.
#ifndef QUERNEL_EP_UNIT_H
#define QUERNEL_EP_UNIT_H

#include "search.h"

typedef struct quernel_ep_draft {
    quernel_ep_search *c;
    uint32_t node; // the one that refusals are about
    uint32_t *nodes, n_nodes;
    quernel_ep_step *steps;
    uint32_t n_steps;
    uint64_t macs;
    quernel_ep_step spare; // written where there is no memory; such a draft is not committed
} quernel_ep_draft;

quernel_ep_draft quernel_ep_draft_begin(quernel_ep_search *c, uint32_t node);
/// Notes why the draft's node is not taken. Returns false.
#define QUERNEL_EP_REFUSE(d, ...) quernel_ep_node_refuse((d)->c, (d)->node, __VA_ARGS__)
void quernel_ep_draft_take(quernel_ep_draft *d, uint32_t node);
quernel_ep_step *quernel_ep_draft_step(quernel_ep_draft *d, int32_t kind, int32_t op);
/// The draft becomes a unit. False without memory.
bool quernel_ep_draft_commit(quernel_ep_draft *d);

/// What a step reads in place of value v: the codes behind a private DequantizeLinear, which the
/// draft takes; else v itself, float or codes with a meaning. −1, with a refusal, for all others.
int32_t quernel_ep_operand(quernel_ep_draft *d, int32_t v);

/// The codes that reach v through one node that `moves` them and pairs of Q and DQ that keep them;
/// −1: none. Nodes that are passed are taken.
typedef bool quernel_ep_moves(quernel_ep_draft *d, const quernel_ep_node *n);
int32_t quernel_ep_codes_behind(quernel_ep_draft *d, int32_t v, quernel_ep_moves *moves);

/// A constant: f32, or integers behind a private DequantizeLinear.
typedef struct quernel_ep_constant {
    double *data;
    uint32_t count, rank;
    int64_t dims[QUERNEL_EP_MAX_RANK];
} quernel_ep_constant;
/// Reads one; false where v is none (without a refusal). The draft takes its DequantizeLinear.
bool quernel_ep_constant_read(quernel_ep_draft *d, int32_t v, quernel_ep_constant *ret_constant);
/// Its numbers as they are, codes too.
bool quernel_ep_plain_read(quernel_ep_search *c, int32_t v, quernel_ep_constant *ret_constant);
bool quernel_ep_may_be_constant(const quernel_ep_search *c, int32_t v);
/// Elements of an s64 (or s32) constant; false where v is none.
bool quernel_ep_integers_read(quernel_ep_search *c, int32_t v, const int64_t **ret_integers,
                              uint32_t *ret_count);

/// Whether k stands for a number, or one per channel, beside a tensor of `rank` dimensions.
bool quernel_ep_is_vector(const quernel_ep_constant *k, uint32_t rank, int32_t order,
                          uint32_t channels);
/// Channels of a value in an order; 0 where they are not known.
uint32_t quernel_ep_channels(const quernel_ep_search *c, int32_t v, int32_t order);
/// Whether the codes that an operator in QLinear form reads and writes mean what its inputs say:
/// those of value i the inputs scales[i] and scales[i] + 1, a zero point. False with a refusal.
bool quernel_ep_codes_agree(quernel_ep_draft *d, const int32_t *values, const uint32_t *scales,
                            uint32_t count);
/// Whether both have the same shape as far as it is known.
bool quernel_ep_same_shape(const quernel_ep_search *c, int32_t a, int32_t b);
/// Makes `count` numbers of k, one per channel, the step's z: a value that the network reads.
bool quernel_ep_constant_put(quernel_ep_draft *d, quernel_ep_step *step,
                             const quernel_ep_constant *k, uint32_t count);
/// Copies [channels] floats into the data; one number is repeated.
quernel_ep_span quernel_ep_put_vector(quernel_ep_search *c, const quernel_ep_constant *k,
                                      uint32_t channels);

/// Value v is what `step`, of `channels`, writes: takes what follows as far as the step can do it,
/// and sets its output.
void quernel_ep_absorb(quernel_ep_draft *d, quernel_ep_step *step, int32_t v, uint32_t channels);

/// The same for a step that can take a QuantizeLinear alone.
void quernel_ep_absorb_quantize(quernel_ep_draft *d, quernel_ep_step *step, int32_t v);

/// Tries to make a unit of a node. False: it is not taken, with a reason.
bool quernel_ep_match_convolution(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_product(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_matmul(quernel_ep_search *c, uint32_t node); // of two tensors
bool quernel_ep_match_norm(quernel_ep_search *c, uint32_t node);   // BatchNormalization of codes
bool quernel_ep_match_lookup(quernel_ep_search *c, uint32_t node); // of a QuantizeLinear
bool quernel_ep_match_gate(quernel_ep_search *c, uint32_t node);   // of a QLinearMul
bool quernel_ep_match_binary(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_smoothing(quernel_ep_search *c, uint32_t node); // of a Mul before a Q
bool quernel_ep_match_unary(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_copy(quernel_ep_search *c, uint32_t node); // Q and DQ alone
bool quernel_ep_match_view(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_concat(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_pool(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_normalize(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_resample(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_shuffle(quernel_ep_search *c, uint32_t node);
bool quernel_ep_match_dynamic(quernel_ep_search *c, uint32_t node);

/// Makes units of all nodes that can be taken.
void quernel_ep_units_find(quernel_ep_search *c);

#endif
