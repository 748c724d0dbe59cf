// SPDX-License-Identifier: Apache-2.0
// quernel doctor: whether this host is quiet enough to tune on.
#include <stdio.h>
#include <string.h>

#include "tune/common/json.h"
#include "tune/probe/host.h"
#include "tune/program/options.h"
#include "tune/program/program.h"

static const char usage[] = "usage: quernel doctor [--json]\n"
                            "\n"
                            "Watches the host for two seconds: its frequency governor, its load, "
                            "the time that others take, and\n"
                            "by how much two runs of the same code differ. Tuning is possible "
                            "whatever it says; gains smaller\n"
                            "than the noise floor are called ties.\n";

static void print_text(const host_health *h) {
    printf("governor     %s\n", *h->governor ? h->governor : "none that can be read");
    printf("load         %.2f on %u cores, %u may be used\n", h->load, h->cores, h->affinity);
    printf("steal        %.1f %%\n", h->steal);
    printf("preempted    %.0f times a second\n", h->preempted);
    printf("noise floor  %.2f %% (A/A, medians of 24 paired rounds, the worst block)\n",
           100 * h->noise);
    printf("rates        %s\n", host_rates());
    const char *advice;
    for (int i = 0; (advice = host_advice(h, i)); i++) printf("advice       %s\n", advice);
    if (!host_advice(h, 0)) printf("advice       none: this host is quiet\n");
}

static void print_json(const host_health *h) {
    json j = json_document(stdout, "quernel-doctor-1");
    json_text(&j, "governor", *h->governor ? h->governor : NULL);
    json_number(&j, "load", h->load), json_integer(&j, "cores", h->cores),
        json_integer(&j, "affinity", h->affinity);
    json_number(&j, "steal_percent", h->steal),
        json_number(&j, "preempted_per_second", h->preempted);
    json_number(&j, "noise_floor", h->noise), json_text(&j, "rates", host_rates());
    json_open(&j, "advice", '[');
    const char *advice;
    for (int i = 0; (advice = host_advice(h, i)); i++) json_text(&j, NULL, advice);
    json_close(&j, ']'), json_document_end(&j);
}

static void help(void) { fputs(usage, stdout); }

static bool take(void *user, option o) {
    bool *as_json = user;
    return !strcmp(o.name, "json") && (*as_json = true);
}

int command_doctor(int argc, char **argv) {
    static const command_line line = {"doctor", " json ", help, take};
    bool as_json = false;
    const int code = options_read(&line, argc, argv, &as_json);
    if (code != GO_ON) return code;
    host_health h;
    host_measure(2, &h);
    (as_json ? print_json : print_text)(&h);
    return EXIT_DONE;
}
