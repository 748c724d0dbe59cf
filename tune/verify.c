// SPDX-License-Identifier: Apache-2.0
// quernel verify: the kernel checker over every kernel that this CPU can run.
#include "tune/program.h"
int command_verify(int argc, char **argv) { (void)argc, (void)argv; return EXIT_USAGE; }
