// SPDX-License-Identifier: Apache-2.0
// Weights and biases of convolutions and products.
#include "weights.h"

#include <math.h>
#include <string.h>

// A plain constant, whatever its type: scales are f32, zero points int8.
static bool read_numbers(quernel_ep_draft *d, int32_t v, quernel_ep_constant *ret) {
    const quernel_ep_value *k = quernel_ep_value_of(d->c, v);
    if (!quernel_ep_is_constant(d->c, v)) return false;
    if (k->type == QUERNEL_EP_TYPE_F32) return quernel_ep_constant_read(d, v, ret);
    if (!quernel_ep_is_int8(k->type) || k->bytes > INT32_MAX) return false;
    *ret = (quernel_ep_constant){.count = (uint32_t)k->bytes, .rank = k->rank};
    memcpy(ret->dims, k->dims, sizeof ret->dims);
    ret->data = quernel_ep_region_take(&d->c->region, ret->count, sizeof(double));
    for (uint32_t i = 0; ret->data && i < ret->count; i++)
        ret->data[i] = k->type == QUERNEL_EP_TYPE_U8 ? ((const uint8_t *)k->data)[i]
                                                     : ((const int8_t *)k->data)[i];
    return ret->data != NULL;
}

bool quernel_ep_codes_of_inputs(quernel_ep_draft *d, int32_t v, int32_t scale, int32_t zero,
                                quernel_ep_codes *ret_codes) {
    quernel_ep_codes r = {.axis = 0};
    if (!quernel_ep_is_constant(d->c, v)) return QUERNEL_EP_REFUSE(d, "weights are not a constant");
    r.value = quernel_ep_value_of(d->c, v);
    if (!quernel_ep_is_int8(r.value->type))
        return QUERNEL_EP_REFUSE(d, "weights of type %d, not u8 or s8", r.value->type);
    if (scale >= 0 && (!read_numbers(d, scale, &r.scale) || r.scale.rank > 1))
        return QUERNEL_EP_REFUSE(d, "weights: their scales are not f32 constants");
    if (zero >= 0 && (quernel_ep_value_of(d->c, zero)->type != r.value->type ||
                      !read_numbers(d, zero, &r.zero) || r.zero.rank > 1))
        return QUERNEL_EP_REFUSE(d, "weights: their zero points are not constants of their type");
    *ret_codes = r;
    return true;
}

bool quernel_ep_codes_of_float(quernel_ep_draft *d, int32_t v, quernel_ep_codes *ret_codes) {
    const int32_t node = v < 0 ? -1 : d->c->producer[v];
    if (v >= 0 && quernel_ep_is_constant(d->c, v))
        return QUERNEL_EP_REFUSE(d, "its weights are float");
    if (node < 0 || !quernel_ep_may_be_constant(d->c, v))
        return QUERNEL_EP_REFUSE(d, "its weights are not an int8 constant of its own");
    const quernel_ep_node *n = quernel_ep_node_of(d->c, (uint32_t)node);
    if (!quernel_ep_known(d->c, (uint32_t)node))
        return QUERNEL_EP_REFUSE(d, "weights: %s", d->c->reasons[node]);
    if (quernel_ep_int(n, "block_size", 0))
        return QUERNEL_EP_REFUSE(d, "weights: blocked quantization");
    if (quernel_ep_value_of(d->c, v)->type != QUERNEL_EP_TYPE_F32)
        return QUERNEL_EP_REFUSE(d, "weights are not dequantized to f32");
    if (!quernel_ep_codes_of_inputs(d, n->inputs[0], quernel_ep_input(n, 1), quernel_ep_input(n, 2),
                                    ret_codes))
        return false;
    ret_codes->axis = quernel_ep_int(n, "axis", 1);
    if (ret_codes->axis < 0) ret_codes->axis += ret_codes->value->rank;
    quernel_ep_draft_take(d, (uint32_t)node);
    return true;
}

// One number for each output channel; of groups of a deconvolution the axis holds one group's.
static bool spread(const quernel_ep_constant *k, uint32_t out, uint32_t groups, float *ret) {
    if (k->count != 1 && k->count != out && k->count * groups != out) return false;
    for (uint32_t i = 0; i < out; i++) ret[i] = (float)k->data[i % k->count];
    return true;
}

// A scale below 2^-96, of channels that a quantizer found silent, is raised to it: the largest sum
// is then 2^-65 of an input's scale, still nothing.
static bool check_scales(quernel_ep_draft *d, float *scale, uint32_t out) {
    for (uint32_t i = 0; i < out; i++) {
        if (scale[i] > 0 && scale[i] < 0x1p-96f) scale[i] = 0x1p-96f;
        if (!(scale[i] > 0 && scale[i] <= 0x1p96f))
            return QUERNEL_EP_REFUSE(d, "weights: scale[%u]: %g is not within 0 ... 2^96", i,
                                     (double)scale[i]);
    }
    return true;
}

bool quernel_ep_weights_note(quernel_ep_draft *d, quernel_ep_step *step,
                             const quernel_ep_codes *codes, int64_t out_axis,
                             const quernel_weights_desc *desc) {
    quernel_ep_search *c = d->c;
    const uint32_t groups = desc->kind == QUERNEL_WEIGHTS_DECONV2D ? desc->groups : 1;
    float *scale = quernel_ep_region_take(&c->region, 2 * (size_t)desc->out, sizeof *scale);
    int32_t *zero = quernel_ep_region_take(&c->region, desc->out, sizeof *zero);
    if (!scale || !zero) return false;
    float *zeros = scale + desc->out;
    if (codes->scale.count > 1 && codes->axis != out_axis)
        return QUERNEL_EP_REFUSE(d, "weights: scales along axis %d, not %d", (int)codes->axis,
                                 (int)out_axis);
    if (!spread(&codes->scale, desc->out, groups, scale) ||
        (codes->zero.count && !spread(&codes->zero, desc->out, groups, zeros)))
        return QUERNEL_EP_REFUSE(d, "weights: %u scales for %u channels", codes->scale.count,
                                 desc->out);
    if (!check_scales(d, scale, desc->out)) return false;
    for (uint32_t i = 0; i < desc->out; i++) zero[i] = (int32_t)zeros[i];
    c->packs = quernel_ep_region_grow(&c->region, c->packs, c->n_packs, sizeof *c->packs);
    if (!c->packs) return c->n_packs = 0, false;
    quernel_ep_pack *p = &c->packs[c->n_packs];
    *p = (quernel_ep_pack){.desc = *desc, .node = d->node};
    p->desc.type = codes->value->type == QUERNEL_EP_TYPE_U8 ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
    p->desc.scale = scale, p->desc.zero = codes->zero.count ? zero : NULL;
    if (!p->desc.data) p->desc.data = codes->value->data;
    p->smooth_of = step->x;
    step->weights = (int32_t)c->n_packs++;
    return true;
}

int quernel_ep_weights_pack(quernel_ep_search *c, uint32_t index, quernel_error *error) {
    quernel_ep_pack *p = &c->packs[index];
    if (p->packed) return QUERNEL_OK;
    quernel_weights_desc desc = p->desc;
    const quernel_ep_span smooth = c->records[p->smooth_of].smooth;
    desc.smooth = quernel_ep_data_at(c, smooth);
    if (desc.smooth) desc.smooth_kind = QUERNEL_SMOOTH_CHANNEL;
    return quernel_weights_pack(&desc, &p->packed, error);
}

bool quernel_ep_bias_read(quernel_ep_draft *d, quernel_ep_step *step, int32_t v, uint32_t out,
                          double factor) {
    quernel_ep_constant k;
    if (v < 0) return true;
    if (!quernel_ep_constant_read(d, v, &k))
        return QUERNEL_EP_REFUSE(d, "its bias is not a constant of its own");
    // [out], [1, out], or one number for all
    for (uint32_t i = 0; i + 1 < k.rank; i++)
        if (k.dims[i] != 1) return QUERNEL_EP_REFUSE(d, "its bias is not one number per channel");
    if (k.count != 1 && k.count != out)
        return QUERNEL_EP_REFUSE(d, "its bias has %u numbers for %u channels", k.count, out);
    for (uint32_t i = 0; i < k.count; i++) k.data[i] *= factor;
    step->arrays[QUERNEL_EP_BIAS] = quernel_ep_put_vector(d->c, &k, out);
    return true;
}

bool quernel_ep_bias_of_sums(quernel_ep_draft *d, quernel_ep_step *step, int32_t v, uint32_t out,
                             const quernel_ep_codes *weights) {
    if (v < 0) return true;
    const quernel_ep_value *b = quernel_ep_value_of(d->c, v);
    if (!b->data || b->type != QUERNEL_EP_TYPE_S32 || b->bytes != 4 * (size_t)out)
        return QUERNEL_EP_REFUSE(d, "its bias is not an s32 constant per channel");
    quernel_ep_constant k = {.count = out};
    k.data = quernel_ep_region_take(&d->c->region, out, sizeof *k.data);
    const double scale = (double)d->c->records[step->x].coding.scale;
    for (uint32_t i = 0; k.data && i < out; i++) {
        int32_t sum;
        memcpy(&sum, (const uint8_t *)b->data + 4 * (size_t)i, sizeof sum);
        k.data[i] = sum * scale * weights->scale.data[i % weights->scale.count];
    }
    if (k.data) step->arrays[QUERNEL_EP_BIAS] = quernel_ep_put_vector(d->c, &k, out);
    return k.data != NULL;
}

bool quernel_ep_factor_absorb(quernel_ep_draft *d, quernel_ep_step *step,
                              const quernel_ep_constant *factors, double offset) {
    if (step->kind != QUERNEL_EP_CONV || step->activation || step->z >= 0) return false;
    for (uint32_t i = 0; i < factors->count; i++)
        if (!(factors->data[i] >= 0x1p-40 && factors->data[i] <= 0x1p40)) return false;
    const float *scale = d->c->packs[step->weights].desc.scale,
                *bias = quernel_ep_data_at(d->c, step->arrays[QUERNEL_EP_BIAS]);
    float *scaled = quernel_ep_region_take(&d->c->region, step->out, sizeof *scaled);
    quernel_ep_constant moved = {.count = step->out};
    moved.data = quernel_ep_region_take(&d->c->region, step->out, sizeof *moved.data);
    if (!scaled || !moved.data) return false;
    for (uint32_t i = 0; i < step->out; i++) {
        const double factor = factors->data[factors->count > 1 ? i : 0];
        scaled[i] = (float)((double)scale[i] * factor);
        moved.data[i] = (bias ? (double)bias[i] : 0) * factor + offset;
        if (!(scaled[i] >= 0x1p-96f && scaled[i] <= 0x1p96f)) return false;
    }
    d->c->packs[step->weights].desc.scale = scaled;
    if (bias || offset != 0)
        step->arrays[QUERNEL_EP_BIAS] = quernel_ep_put_vector(d->c, &moved, step->out);
    return true;
}
