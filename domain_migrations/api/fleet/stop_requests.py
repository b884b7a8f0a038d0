"""Signals that ask a fleet's command to stop, counted instead of raised.

A fleet does not end in the middle: the first request starts no other site, the second one stops
those that run, each where it can be taken back.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class StopRequests:
    """The requests so far.

    Attributes:
        count: how many there were.
        name: of the first signal.
        wake: a file descriptor that can be read as soon as there is a new one.
    """

    def __init__(self) -> None:
        self.count = 0
        self.name = ""
        self.wake, self._end = os.pipe()
        os.set_blocking(self._end, False)

    def request(self, number: int, _: FrameType | None = None) -> None:
        """Handle a signal."""
        self.count += 1
        self.name = self.name or signal.Signals(number).name
        os.write(self._end, b".")

    def heard(self) -> None:
        """Take note of one request."""
        os.read(self.wake, 1)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.wake)
        os.close(self._end)


@contextmanager
def stop_requests() -> Iterator[StopRequests]:
    """Count the signals in the block; those that the process has ignored stay ignored."""
    requests = StopRequests()
    before = {}
    if threading.current_thread() is threading.main_thread():
        wanted = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in wanted}
        before = {
            number: handler
            for number, handler in before.items()
            if handler not in (signal.SIG_IGN, None)
        }
        for number in before:
            signal.signal(number, requests.request)
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        requests.close()


def stop_by_termination() -> None:
    """Have SIGTERM alone stop this process, the process of a site, by ``KeyboardInterrupt``.

    A terminal sends the others to the whole group, and the command decides what they mean.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # Once: what is taken back is not interrupted.
        raise KeyboardInterrupt(signal.Signals(number).name)

    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop if name == "SIGTERM" else signal.SIG_IGN)
