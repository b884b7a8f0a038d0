"""How a hook ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HookResult:
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


HEAD, TAIL = 4096, 12288
"""How many bytes of the beginning and of the end are kept."""


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


def last_line(text: str, length: int = 200) -> str:
    """Return the last line that says something, for a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:length] if lines else ""
