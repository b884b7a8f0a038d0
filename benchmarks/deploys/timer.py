"""Timer of a command, in a small process, so that its own memory is not measured.

    python -S timer.py FILE COMMAND…

Runs the command and writes its time, CPU and memory to a file. Linux includes the memory of the
parent process in the peak of a child process, so the parent has to be smaller than the measured
command.
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
        os.execvp(command[0], command)  # noqa: S606 (the caller's command, without a shell)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    with open(file, "w") as result:  # noqa: PTH123 (pathlib would need memory)
        # ru_maxrss is in KiB on Linux, in bytes on macOS.
        memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        json.dump([seconds, usage.ru_utime + usage.ru_stime, memory], result)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
