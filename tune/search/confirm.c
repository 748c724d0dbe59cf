// SPDX-License-Identifier: Apache-2.0
// `quernel compare --serve` at the other end of two pipes; a second contest within a network.
#define _GNU_SOURCE
#include "tune/search/confirm.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table/key.h"
#include "tune/common/clock.h"

// Becomes this program once more; where that fails, its answers end.
static void run_child(const confirmer *c, const char *config, int in, int out) {
    quernel_i_key key;
    quernel_i_key_of(&quernel_i_product_of(c->op)->problem, &key);
    dup2(in, STDIN_FILENO), dup2(out, STDOUT_FILENO);
    char *const words[] = {"quernel",   "compare",
                           "--op",      key.op,
                           "--shape",   key.shape,
                           "--env",     key.env,
                           "--isa",     (char *)c->isa,
                           "--config",  (char *)config,
                           "--against", (char *)c->configs[0],
                           "--serve",   NULL};
    execv("/proc/self/exe", words);
    _exit(127);
}

// Two pipes and the process between them. O_CLOEXEC: a second child must not hold the first's pipes
// open, which would never end.
static int start(confirmer *c, const char *config) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC)) return 0;
    if (pipe2(from, O_CLOEXEC)) return close(to[0]), close(to[1]), 0;
    c->child = fork();
    if (c->child == 0) run_child(c, config, to[0], from[1]);
    close(to[0]), close(from[1]);
    c->to = fdopen(to[1], "w"), c->from = fdopen(from[0], "r");
    return c->child > 0 && c->to && c->from;
}

double confirm_sample(void *user, uint32_t index, uint32_t round) {
    confirmer *c = user;
    char line[64];
    (void)round;
    if (clock_now() > c->deadline) return -1;
    if (!c->child && !start(c, c->configs[index])) return -1;
    if (fprintf(c->to, "%d\n", index != 0) < 0 || fflush(c->to) ||
        !fgets(line, sizeof line, c->from))
        return -1;
    return strtod(line, NULL);
}

void confirm_end(confirmer *c) {
    if (c->to) fclose(c->to); // its input ends: it leaves
    if (c->from) fclose(c->from);
    int status;
    if (c->child > 0) waitpid(c->child, &status, 0);
    c->child = 0, c->to = c->from = NULL;
}

static int start_within(confirmer_within *c, const char *config) {
    return contest_make_within(&c->contest, c->plans, c->part) &&
           contest_add(&c->contest, config, 0) == 1 && !c->contest.variants[1].wrong;
}

double confirm_within_sample(void *user, uint32_t index, uint32_t round) {
    confirmer_within *c = user;
    (void)round;
    if (*c->interrupted || clock_now() > c->deadline) return -1;
    if (!c->contest.count && !start_within(c, c->configs[index])) return -1;
    return contest_sample(&c->contest, index != 0);
}

void confirm_within_end(confirmer_within *c) { contest_free(&c->contest); }
