"""The running command's options that allow more time: errors advise these, and otherwise settings.

An error arises far below the command, and many commands share the code in between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_offered: ContextVar[frozenset[str]] = ContextVar("offered_options", default=frozenset())


@contextmanager
def offering(options: Collection[str]) -> Iterator[None]:
    """Let errors in the block advise these options, such as ``--lock-wait``."""
    token = _offered.set(frozenset(options))
    try:
        yield
    finally:
        _offered.reset(token)


def more_time(option: str) -> str:
    """Return what allows more time: the option, or the setting that every command has."""
    if option in _offered.get():
        return option
    return f"{option.strip('-').replace('-', '_').upper()} in DOMAIN_MIGRATIONS"
