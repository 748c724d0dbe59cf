// SPDX-License-Identifier: Apache-2.0
// AMX tiles belong to the thread: a run leaves their configuration as it found it, another
// library's or none.
#include <string.h>

#include "cpu/tiles.h"
#include "fixture.h"
#include "quernel/cpu.h"
#include "tests.h"

typedef struct tile_config {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

static void run_with_tiles(void) {
    fixture f;
    quernel_error error = {0};
    quernel_operator *op = NULL;
    fixture_init(&f, FIXTURE_CONV2D);
    f.d.config = "kernel=quernel_uk_gemm_u8s8_32x32x64_amxint8";
    if (!CHECK(fixture_create(&f, &op, &error) == QUERNEL_OK, "create: %s", error.text)) return;
    buffers b = buffers_make(op);
    CHECK(quernel_operator_run(op, b.x, NULL, b.y, b.workspace, b.workspace_bytes, NULL, &error) ==
              QUERNEL_OK,
          "run: %s", error.text);
    buffers_free(&b);
    quernel_operator_destroy(op);
}

void test_tiles_are_kept(void) {
    static const tile_config others = {1, 0, {0}, {32, 64, 16}, {3, 16, 7}}, none = {0};
    const int asked = quernel_amx_request(NULL);
    if (!CHECK(asked == QUERNEL_OK || asked == QUERNEL_E_ISA, "amx_request: %d", asked)) return;
    if (asked) return; // this process has no tiles to keep
    const tile_config *const before[] = {&none, &others};
    for (int i = 0; i < 2; i++) {
        quernel_i_tiles caller, after;
        memcpy(&caller, before[i], sizeof caller);
        quernel_i_tiles_leave(&caller); // no configuration: the tiles are still free
        run_with_tiles();
        quernel_i_tiles_enter(&after);
        CHECK(!memcmp(&after, &caller, sizeof after), "the caller's configuration %d has changed",
              i);
    }
}
