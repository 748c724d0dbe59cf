# SPDX-License-Identifier: Apache-2.0
"""`python -m quernel`: whole networks from the shell."""

import signal
import sys

from .cli import main

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has enough ends us, as others
    sys.exit(main(sys.argv[1:]))
