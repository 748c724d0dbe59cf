// SPDX-License-Identifier: Apache-2.0
// What the commands of the `quernel` program share.
#ifndef QUERNEL_TUNE_PROGRAM_H
#define QUERNEL_TUNE_PROGRAM_H

/// Exit codes, the same for every command.
enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_NO_ISA = 4, EXIT_INTERRUPTED = 130 };

int command_info(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_tune(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_recheck(int argc, char **argv);
int command_table(int argc, char **argv);
int command_record(int argc, char **argv);
int command_plot(int argc, char **argv);

#endif
