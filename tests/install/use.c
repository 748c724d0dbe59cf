// SPDX-License-Identifier: Apache-2.0
// A user's program: the version of header and library agree, and a product comes out right.
#include <stdio.h>
#include <string.h>

#include <quernel/quernel.h>

int main(void) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", QUERNEL_VERSION_MAJOR, QUERNEL_VERSION_MINOR,
             QUERNEL_VERSION_PATCH);
    if (strcmp(version, quernel_version())) {
        printf("header %s, library %s\n", version, quernel_version());
        return 1;
    }
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    if (quernel_cpu_get(&cpu) != QUERNEL_OK || !(cpu.usable & 1u)) {
        printf("no instruction set is usable\n");
        return 1;
    }
    static const float x[3] = {0.0f, 0.5f, 1.0f};
    signed char q[3];
    if (quernel_quantize(x, 3, 0.25f, 1, QUERNEL_TYPE_S8, 0, 0, q, NULL) != QUERNEL_OK) return 1;
    if (q[0] != 1 || q[1] != 3 || q[2] != 5) {
        printf("%d %d %d, expected 1 3 5\n", q[0], q[1], q[2]);
        return 1;
    }
    return 0;
}
