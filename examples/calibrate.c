// SPDX-License-Identifier: Apache-2.0
// From calibration samples to a quantized layer: the search chooses scales, smoothing and
// calibrator by the int8 layer's own error, the audit says what is left of it and why, and the
// weights are rounded so that their errors cancel.
#include <math.h>
#include <stdio.h>

#include <quernel/quernel.h>

enum { C = 16, N = 24, SIDE = 12, SAMPLES = 6 };

int main(void) {
    static float x[SAMPLES][C * SIDE * SIDE], weights[N * C * 9], bias[N], smooth[C], scale[N];
    static int8_t codes[N * C * 9];
    // NHWC, after a ReLU; channel 5 is 30 times as loud as the others, and its weights as soft.
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < C * SIDE * SIDE; j++)
            x[i][j] =
                fmaxf(0.0f, sinf((float)(j + 1000 * i) * 1.37f)) * (j % C == 5 ? 30.0f : 1.0f);
    for (int j = 0; j < N * C * 9; j++)
        weights[j] = cosf((float)j * 2.11f) / (j / 9 % C == 5 ? 30.0f : 1.0f);

    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.out = N, w.in = C;
    w.kernel_h = w.kernel_w = 3, w.data = weights;
    quernel_conv2d_desc op = QUERNEL_CONV2D_DESC_INIT;
    op.pad_top = op.pad_left = op.pad_bottom = op.pad_right = 1;
    op.epilogue.bias = bias, op.epilogue.activation = QUERNEL_ACTIVATION_RELU;
    quernel_float_layer layer = QUERNEL_FLOAT_LAYER_INIT;
    layer.weights = &w, layer.op = &op;
    quernel_sample samples[SAMPLES];
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = (quernel_sample){
            .tensor = {.layout = QUERNEL_LAYOUT_NHWC, .n = 1, .c = C, .h = SIDE, .w = SIDE},
            .data = x[i]};

    quernel_error error = {0};
    quernel_choice choice = QUERNEL_CHOICE_INIT;
    quernel_report report = QUERNEL_REPORT_INIT;
    int status = quernel_search_layer(&layer, samples, SAMPLES, NULL, &choice, smooth, &error);
    if (!status)
        status = quernel_audit_layer(&layer, &choice, smooth, samples, SAMPLES, &report, &error);
    if (!status)
        status = quernel_weights_round(&layer, &choice, smooth, samples, SAMPLES, codes, scale,
                                       bias, &error);
    // an operator takes them, with `bias`, in the place of the float ones
    quernel_weights_desc rounded = w;
    rounded.type = QUERNEL_TYPE_S8, rounded.data = codes, rounded.scale = scale;
    rounded.smooth_kind = choice.smooth_kind, rounded.smooth = smooth;
    quernel_weights *packed = NULL;
    if (!status) status = quernel_weights_pack(&rounded, &packed, &error);
    quernel_weights_release(packed);
    if (status) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("%u candidates: plain u8 %.1f dB, smoothed with alpha %.1f %.1f dB\n", choice.tried,
           choice.plain_sqnr, choice.alpha, choice.sqnr);
    printf("scale %.5f, s of channel 5 %.2f, of channel 6 %.2f\n", (double)choice.quant.scale,
           (double)smooth[5], (double)smooth[6]);
    printf("audit: %.1f dB; without the weights' rounding %.1f, without the activations' %.1f, "
           "without smoothing %.1f\n",
           report.total.sqnr, report.sqnr_without[QUERNEL_CAUSE_WEIGHTS],
           report.sqnr_without[QUERNEL_CAUSE_ROUNDING],
           report.sqnr_without[QUERNEL_CAUSE_SMOOTHING]);
    // the quantization of such a layer wants smoothing
    return choice.smooth_kind != QUERNEL_SMOOTH_CHANNEL;
}
