"""Exceptions of the project's code: where they were raised, and their tracebacks."""

from __future__ import annotations

import os
import sys
import sysconfig
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path

import django
import psycopg
from django.db.migrations.migration import Migration

from ..sessions.database_errors import cause_of_loss, first_line, sqlstate_of, text_of
from .kept_transactions import TransactionEnded, TransactionLeftOpen

PACKAGE = f"{Path(__file__).parents[2]}{os.sep}"
LIBRARIES = (
    PACKAGE,
    f"{Path(django.__file__).parent}{os.sep}",
    f"{Path(psycopg.__file__).parent}{os.sep}",
    "psycopg_binary/",  # compiled: their frames have the paths that they were built from
    "psycopg_c/",
    "<",
)
STDLIB = sysconfig.get_path("stdlib")
INSTALLED = ("site-packages", "dist-packages")
"""The names of the folders that packages are installed in."""

LONGEST = 20_000
"""The number of characters of a traceback that are kept, from its end."""


def describe_exception(exc: BaseException, *, file: str | None = None) -> str:
    """Return an exception's class, message and place, without a period.

    The place is its innermost frame in the file, or else in the project's code. An error of the
    database without one, and one that the engine raised, are described by their message alone.
    """
    cause = cause_of_loss(exc)
    reason, name, frame = first_line(cause).rstrip("."), type(cause).__name__, _frame(cause, file)
    if not (_is_sentence(exc) or reason == name or (frame is None and sqlstate_of(cause))):
        reason = f"{name}: {reason}"
    if frame is None:
        return reason
    return f"{reason} ({_shown_path(frame.filename)}, line {frame.lineno}, in {frame.name})"


def traceback_text(exc: BaseException) -> str:
    """Return the traceback of an exception, of those that led to it and of those grouped in it.

    PostgreSQL's DETAIL, which contains data of rows, is left out of the messages.
    """
    return _whole_traceback(cause_of_loss(exc))[-LONGEST:]


def migration_file(migration: Migration) -> str | None:
    """Return the path of the module that defines a migration, unless it is one of the engine's."""
    module = type(migration).__module__
    path = getattr(sys.modules.get(module), "__file__", None)
    return None if path is None or path.startswith(PACKAGE) else path


def _whole_traceback(exc: BaseException) -> str:
    return "\n".join(reversed([*_tracebacks(exc)]))


def _tracebacks(exc: BaseException | None) -> Iterator[str]:
    """Yield the text of each exception, the last one first, each with what connects it."""
    seen: set[int] = set()
    connection = ""
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        frames = "".join(traceback.format_tb(exc.__traceback__))
        yield f"Traceback (most recent call last):\n{frames}{_last_lines(exc)}{connection}"
        connection = "\nThe above exception was the direct cause of the following one:\n"
        following = exc.__cause__
        if following is None and not exc.__suppress_context__:
            following = exc.__context__
            connection = "\nDuring handling of the above exception, another one occurred:\n"
        exc = following


def _last_lines(exc: BaseException) -> str:
    """Return an exception's class, message and notes, and the tracebacks of those grouped in it."""
    text = first_line(exc) if sqlstate_of(exc) else text_of(exc)
    last = f"{type(exc).__qualname__}: {text}" if text else type(exc).__qualname__
    notes = getattr(exc, "__notes__", None)
    lines = [last, *(map(str, notes) if isinstance(notes, list) else ())]
    if isinstance(exc, BaseExceptionGroup):
        lines += [textwrap.indent(_whole_traceback(one).rstrip(), "  | ") for one in exc.exceptions]
    return "\n".join(lines) + "\n"


def _is_sentence(exc: BaseException) -> bool:
    """Return whether the engine raised the exception, whose class says nothing then."""
    if isinstance(exc, TransactionEnded | TransactionLeftOpen):
        return True
    frames = traceback.extract_tb(exc.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(PACKAGE)


def _frame(exc: BaseException, file: str | None) -> traceback.FrameSummary | None:
    frames = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in frames if frame.filename == file]
    packages = [frame for frame in frames if not _is_library(frame.filename)]
    project = [frame for frame in packages if not _is_installed(frame.filename)]
    found = own or project or packages
    return found[-1] if found else None


def _is_library(path: str) -> bool:
    if path.startswith(LIBRARIES):
        return True
    return path.startswith(STDLIB) and not _is_installed(path)


def _is_installed(path: str) -> bool:
    return any(name in path for name in INSTALLED)


def _shown_path(path: str) -> str:
    """Return a path without the part by which its module is found."""
    roots = (f"{Path(root).absolute()}{os.sep}" for root in sys.path)
    longest = max((root for root in roots if path.startswith(root)), key=len, default="")
    return path.removeprefix(longest)
