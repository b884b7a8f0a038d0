#!/usr/bin/env python3
"""Hook around a run: pause a worker between two jobs, and resume it afterwards.

    "before": [[sys.executable, "deploy/hooks/worker.py", "pause", "/run/lab/worker"]],
    "after":  [[sys.executable, "deploy/hooks/worker.py", "resume", "/run/lab/worker"]],
    "failed": [[sys.executable, "deploy/hooks/worker.py", "resume", "/run/lab/worker"]],

The worker runs each job within ``turn("/run/lab/worker")``. Any number of workers on one machine
may share the file. A worker that is a systemd service does not need this script: use
["systemctl", "stop", "lab-worker"] and ["systemctl", "start", "lab-worker"].
"""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAUSE_SECONDS = 0.2


@contextmanager
def turn(path: Path | str) -> Iterator[None]:
    """Wait while paused, then prevent a pause during one job; used by the worker."""
    while True:
        with Path(path).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if not mark(Path(path)).exists():
                yield
                return
        time.sleep(PAUSE_SECONDS)


def pause(path: Path, seconds: float) -> bool:
    """Prevent workers from starting a job, and wait until none is running."""
    mark(path).touch()
    deadline = time.monotonic() + seconds
    with path.open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    resume(path)
                    return False
                time.sleep(PAUSE_SECONDS)
            else:
                return True


def resume(path: Path) -> None:
    mark(path).unlink(missing_ok=True)


def mark(path: Path) -> Path:
    return path.with_name(path.name + ".paused")


def main() -> int:
    parser = argparse.ArgumentParser(description="Pause workers between two jobs, or resume them.")
    parser.add_argument("action", choices=("pause", "resume"))
    parser.add_argument("path", type=Path, help="the file that the workers share")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for running jobs")
    options = parser.parse_args()
    if options.action == "resume":
        resume(options.path)
    elif not pause(options.path, options.wait):
        print(f"A job is still at work after {options.wait:g} s.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
