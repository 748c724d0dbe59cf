#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that every rule of the lint can find something, and is content with what is right."""

import sys

import trials_binary
import trials_figures
import trials_krev
import trials_source
import trials_text
import trials_tools

PARTS = [trials_source, trials_text, trials_tools, trials_krev, trials_figures, trials_binary]


def main():
    trials = [trial for part in PARTS for trial in part.trials()]
    failed = [name for name, result in trials if not result]
    for name in failed:
        print(f"self-test: {name}: the lint judges it wrongly")
    print(f"{len(trials) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
