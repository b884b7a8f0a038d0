"""Signals that ask a command to stop, as exceptions that let it clean up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


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

    wanted = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in wanted}
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
