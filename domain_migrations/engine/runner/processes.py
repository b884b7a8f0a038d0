"""Processes of their own for pieces of work: their beginning, their messages and their end.

With ``fork`` a new process costs milliseconds, and has everything that its parent has imported.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

import django
from django.db import connections

Send = Callable[[Any], None]
"""Sends a message, which can be pickled, to the parent process."""


TICK = 0.2
"""Seconds between two questions whether to wait any longer."""

LAST_SECONDS = 10.0
"""The time that a process gets to end after its last message."""


class ProcessDied(Exception):
    """The process has ended before it was done.

    Arguments:
        exit_code: as :attr:`multiprocessing.Process.exitcode` has it, negative for a signal.
    """

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass(frozen=True)
class WorkProcess:
    """A process that works on one thing and sends messages about it.

    Attributes:
        messages: where its messages arrive; ready to be waited for.
    """

    process: BaseProcess
    messages: Connection

    @classmethod
    def start(cls, name: str, work: Callable[..., None], *arguments: Any) -> WorkProcess:
        """Start a process that calls a function with what sends messages, and the arguments.

        Arguments:
            work: importable by name, for platforms without ``fork``.
        """
        processes = _context()
        messages, sender = processes.Pipe(duplex=False)
        ends = messages, sender
        process = processes.Process(target=_work_here, args=(ends, work, arguments), name=name)
        process.start()
        sender.close()  # So that reading ends when the process ends.
        return cls(process, messages)

    def message(self) -> Any:
        """Return the next message.

        Raises:
            ProcessDied: there is none, because the process has ended.
        """
        try:
            return self.messages.recv()
        except (EOFError, OSError):  # also in the middle of a message
            self.process.join()
            raise ProcessDied(self.process.exitcode) from None

    def finish(self, is_hurried: Callable[[], bool] = bool) -> None:
        """Wait for the end of a process that has sent its last message, but not for its threads.

        Arguments:
            is_hurried: asked now and then whether to wait no longer.
        """
        self.messages.close()
        until = time.monotonic() + LAST_SECONDS
        while self.process.is_alive() and time.monotonic() < until and not is_hurried():
            self.process.join(TICK)
        self.process.kill()
        self.process.join()

    def end(self) -> None:
        """End the process, and wait until it has."""
        self.process.terminate()
        self.process.join()


def close_connections() -> None:
    """Close what a forked process must not share with its parent: connections, and their pools."""
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def _work_here(
    ends: tuple[Connection, Connection], work: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    messages, sender = ends
    messages.close()  # So that sending ends when the parent has ended.
    django.setup()  # Does nothing in a forked process.
    work(sender.send, *arguments)
    sender.close()


def _context() -> ForkContext | SpawnContext:
    if "fork" in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")
