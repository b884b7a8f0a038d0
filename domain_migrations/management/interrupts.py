"""Signals that ask a command to stop, as exceptions that let it clean up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def signals_ignored(*, when: object) -> Iterator[None]:
    """Do what is left after a stop was asked for, whatever signals still come.

    Arguments:
        when: whether it was.
    """
    if not when or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _numbers()}
    ignore_signals()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Let nothing interrupt the last sentence of a process, and change its exit status."""
    if threading.current_thread() is threading.main_thread():
        for number in _numbers():
            signal.signal(number, signal.SIG_IGN)


def _numbers() -> list[signal.Signals]:
    return [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Raise ``KeyboardInterrupt``, with the signal's name, where the command is asked to stop.

    psycopg then cancels the running statement, and transactions are rolled back. While that
    happens, further signals than SIGINT are ignored: CI systems send several of them. A signal
    that the parent process has ignored, such as SIGHUP with ``nohup``, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping = False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        name = signal.Signals(number).name
        if stopping and name != "SIGINT":
            return
        stopping = True
        raise KeyboardInterrupt(name)

    before = {number: signal.getsignal(number) for number in _numbers()}
    handled = [
        number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)
    ]
    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
