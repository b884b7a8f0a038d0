"""Calling a hook that is Python: its output is kept, and its time is limited."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from ...sessions.connection import first_line
from .result import BoundedOutput, HookResult

REPEAT_SECONDS = 1.0
"""A callable that swallows the interruption is interrupted again."""

_stdout = threading.RLock()
"""Standard output is the process's: runs side by side take turns in diverting it."""


class _TimeIsUp(BaseException):
    """Not an ``Exception``, so that a hook's own handlers let it pass."""


class _Text(io.TextIOBase):
    """A standard output that keeps a bounded part of what is written."""

    def __init__(self, output: BoundedOutput) -> None:
        self.output = output

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.output.write(text.encode(errors="replace"))
        return len(text)


def call(target: Callable[[], Any], *, seconds: float) -> HookResult:
    """Call it and return how it ended; it is not raised that it failed.

    What it prints is kept from standard output, which belongs to ``--format json``.

    Arguments:
        seconds: how long it may take, 0 for no limit. Python can interrupt its main thread
            only; elsewhere, and on Windows, there is no limit.
    """
    output = BoundedOutput()
    text = _Text(output)
    problem, cause = "", None
    with _stdout, redirect_stdout(text), redirect_stderr(text):
        try:
            with _limited(seconds):
                target()
        except _TimeIsUp:
            problem = f"it was stopped after {seconds:g} s"
        except SystemExit as exc:
            problem = f"it exited with {exc.code!r}" if exc.code else ""
        except Exception as exc:
            problem, cause = f"{type(exc).__name__}: {first_line(exc).rstrip('.')}", exc
    return HookResult(problem, str(output), cause=cause)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    if not seconds or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise _TimeIsUp

    handler = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
