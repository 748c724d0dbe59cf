// SPDX-License-Identifier: Apache-2.0
// Why an operator runs as it does, and a plan forced by words of its own explanation.
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { M = 128, K = 256, N = 96 };

int main(void) {
    static float weights[N * K];
    for (int i = 0; i < N * K; i++) weights[i] = (float)(i % 13 - 6) / 64;

    quernel_error error = {0};
    quernel_operator *chosen = NULL, *forced = NULL;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.out = N, w.in = K, w.data = weights;
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.m = M, d.quant.scale = 1.0f / 64;
    int status = quernel_weights_pack(&w, &d.weights, &error);
    if (!status) status = quernel_linear_create(&d, &chosen, &error); // by a table, or the model
    d.config = "path=im2col chunk=32";
    if (!status) status = quernel_linear_create(&d, &forced, &error);
    static char text[8192];
    if (quernel_operator_report(chosen, text, sizeof text)) printf("%s\n", text);
    if (quernel_operator_explain(forced, text, sizeof text)) printf("forced: %s\n", text);
    quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
    if (!status) status = quernel_operator_choice(forced, &choice);
    if (status) fprintf(stderr, "%s\n", error.text);
    else printf("predicted: %.0f ns\n", choice.predicted_ns);
    quernel_operator_destroy(chosen);
    quernel_operator_destroy(forced);
    quernel_weights_release(d.weights);
    return status != 0 || choice.from != QUERNEL_FROM_CONFIG;
}
