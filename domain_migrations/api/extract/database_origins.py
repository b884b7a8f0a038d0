"""The database that an error is from: one of two, whose errors Django raises alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseErrorWrapper

from ...engine.sessions.connection import has_lost
from ...engine.sessions.database_errors import ConnectionLost
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sessions.session import plain_copy
from .sides import Sides


class Origin(NamedTuple):
    """Where an error is from.

    Attributes:
        alias: of the database.
        is_lost: whether the session was lost, which may be another one than the alias's own.
    """

    alias: str
    is_lost: bool


class OriginNotes(DatabaseErrorWrapper):
    """Notes on each error which database has raised it.

    Django's own ``errors_occurred`` is reset by the end of the transaction, and is not set for
    rows that a constraint or a type refuses.
    """

    wrapper: BaseDatabaseWrapper

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(exc_type, exc_value, traceback)
        except (DatabaseError, InterfaceError) as exc:
            vars(exc)["origin"] = Origin(self.wrapper.alias, has_lost(self.wrapper))
            raise


def note_origins(connection: BaseDatabaseWrapper) -> None:
    """Note on each error of the connection, from now on, which database has raised it."""
    vars(connection)["wrap_database_errors"] = OriginNotes(connection)


@contextmanager
def translated_errors(sides: Sides) -> Iterator[None]:
    """Translate the errors of both databases, each with the alias of its own."""
    both = sides.from_connection, sides.to_connection
    for connection in both:
        note_origins(connection)
    try:
        yield
    except (DatabaseError, InterfaceError) as exc:
        alias, is_lost = getattr(exc, "origin", Origin(sides.source, is_lost=False))
        with translate_database_errors(alias):
            if is_lost:
                raise ConnectionLost(str(exc)) from exc
            raise
    finally:
        for connection in both:
            vars(connection).pop("wrap_database_errors", None)


@contextmanager
def extra_session(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Yield one more connection to a database, closed at the end."""
    own = plain_copy(connections[alias])
    note_origins(own)
    try:
        own.ensure_connection()
        yield own
    finally:
        own.close()
