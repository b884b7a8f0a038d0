"""How a hook ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a hook ended.

    Attributes:
        problem: what went wrong, as a clause; empty where nothing did.
        output: what it wrote, bounded.
        status: a command's exit status, negative for a signal.
        cause: the exception that a callable raised.
    """

    problem: str = ""
    output: str = ""
    status: int | None = None
    cause: BaseException | None = None
