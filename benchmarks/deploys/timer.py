"""Runs a command and writes what it took to a file; a small process, because of the memory.

    python -S timer.py FILE COMMAND…

Linux counts the memory of the process that starts another into the other's peak, so the starting
one has to be smaller than what is measured.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(file: str, *command: str) -> int:
    begun = time.perf_counter()
    process = os.fork()
    if not process:
        os.execvp(command[0], command)  # noqa: S606 (the caller's command, and no shell)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    with open(file, "w") as result:  # noqa: PTH123 (pathlib would be memory)
        # ru_maxrss is in KiB on Linux, in bytes on macOS.
        memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        json.dump([seconds, usage.ru_utime + usage.ru_stime, memory], result)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
