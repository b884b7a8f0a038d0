"""Running a hook's command: no shell, a time limit for its whole process group."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from typing import IO

from .result import BoundedOutput, HookResult, last_line
from .settings import Hook

CHUNK = 65536
GRACE_SECONDS = 5.0
"""Between asking a process group to end and killing it."""
DRAIN_SECONDS = 1.0
"""How long to wait for output once the command has ended: a child of its own, left in the
background, may keep the pipe open for ever."""


def run_command(hook: Hook, *, given: bytes, environment: Mapping[str, str]) -> HookResult:
    """Run the command and return how it ended; it is not raised that it failed.

    Arguments:
        given: what it gets on standard input.
        environment: all of its environment.
    """
    output = BoundedOutput()
    # A file, not a pipe: a command may leave its standard input unread.
    with tempfile.TemporaryFile() as stdin:
        stdin.write(given)
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                hook.command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as exc:
            return HookResult(f"it cannot be started: {exc.strerror}: {hook.command[0]}")
        assert process.stdout is not None  # noqa: S101 (asked for above)
        reader = threading.Thread(target=_read, args=(process.stdout, output), daemon=True)
        reader.start()
        problem = ""
        try:
            status = process.wait(hook.timeout or None)
        except subprocess.TimeoutExpired:
            _end(process)
            status, problem = process.wait(), f"it was stopped after {hook.timeout:g} s"
        except BaseException:
            _end(process)
            raise
        reader.join(DRAIN_SECONDS)
    said = str(output)
    return HookResult(problem or _problem(status, said), said, status)


def _read(stream: IO[bytes], output: BoundedOutput) -> None:
    with stream:
        while chunk := os.read(stream.fileno(), CHUNK):
            output.write(chunk)


def _problem(status: int, output: str) -> str:
    if status == 0:
        return ""
    problem = f"exit status {status}"
    if status < 0:
        names = {member.value: member.name for member in signal.Signals}
        problem = f"it was ended by {names.get(-status, f'signal {-status}')}"
    said = last_line(output)
    return f"{problem}: {said.rstrip('.')}" if said else problem


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and every process that it has started in its group."""
    if not hasattr(os, "killpg"):
        process.kill()
        return
    _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Also behind a leader that has ended: its children may not have listened.
        _signal_group(process.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # All of it has ended.
