"""Commands of hooks, run without a shell and with a time limit for their process group."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from .settings import Hook


@dataclass(frozen=True)
class HookResult:
    """The result of a hook, or of the receivers of a signal.

    Attributes:
        problem: the failure, as a clause; empty on success.
        output: the standard output and error, bounded.
        status: a command's exit status, negative for a signal.
        cause: the exception that a receiver raised.
    """

    problem: str = ""
    output: str = ""
    status: int | None = None
    cause: BaseException | None = None


HEAD, TAIL = 4096, 12288
"""Bytes of the beginning and of the end that are kept."""
LINE = 200
"""Characters of the last line that a message shows."""


class BoundedOutput:
    """Takes any number of bytes and keeps a bounded part."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.dropped_bytes = 0

    def write(self, chunk: bytes) -> None:
        room = HEAD - len(self.head)
        self.head += chunk[:room]
        self.tail += chunk[room:]
        surplus = len(self.tail) - TAIL
        if surplus > 0:
            self.dropped_bytes += surplus
            del self.tail[:surplus]

    def __str__(self) -> str:
        if not self.dropped_bytes:
            return _text(self.head + self.tail)
        return f"{_text(self.head)}\n… {self.dropped_bytes} bytes left out …\n{_text(self.tail)}"


def _text(data: bytearray) -> str:
    return data.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


CHUNK = 65536
GRACE_SECONDS = 5.0
"""Between SIGTERM and SIGKILL to a process group."""
DRAIN_SECONDS = 1.0
"""Waited for output after the command has ended: a child process of it, left in the background,
may keep the pipe open forever."""


def run_command(hook: Hook, *, stdin: bytes, environment: Mapping[str, str]) -> HookResult:
    """Run the command and return its result; failures are in the result, not raised.

    Arguments:
        stdin: its standard input.
        environment: its complete environment.
    """
    output = BoundedOutput()
    # A file, not a pipe: a command may leave its standard input unread.
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        try:
            process = subprocess.Popen(
                hook.command,
                stdin=file,
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
    text = str(output)
    return HookResult(problem or _problem(status, text), text, status)


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
    lines = [line for line in output.splitlines() if line.strip()]
    return f"{problem}: {lines[-1].strip()[:LINE].rstrip('.')}" if lines else problem


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and all processes in its group."""
    if not hasattr(os, "killpg"):
        process.kill()
        return
    _signal_group(process.pid, signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    finally:
        # Also if the leader has ended: its children may have ignored the signal.
        _signal_group(process.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # All of it has ended.
        os.killpg(group, number)
