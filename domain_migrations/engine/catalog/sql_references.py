"""Which objects a domain's migrations make without telling the models' state."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence

from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

WORD = re.compile(r"\w+")
STATE_OPERATIONS = (
    "django.db.migrations.operations.fields",
    "django.db.migrations.operations.models",
    "domain_migrations.operations",
)


class ReferencedNames:
    """The words of every operation that runs SQL or Python of its own.

    An object that none of them mentions was made by hand. One that is mentioned may still have
    been changed by hand since: a word is no proof.
    """

    def __init__(self, migrations: Iterable[Migration]) -> None:
        self.texts = [
            frozenset(WORD.findall(text.lower()))
            for migration in migrations
            for operation in migration.operations
            for text in _texts(operation)
        ]

    def contains(self, *names: str) -> bool:
        """Return whether one operation mentions all the words of these names."""
        words = {word for name in names for word in WORD.findall(name.lower())}
        return bool(words) and any(words <= text for text in self.texts)


def _texts(operation: Operation) -> Iterator[str]:
    if isinstance(operation, SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _texts(inner)
    elif isinstance(operation, RunSQL):
        yield _sql_text(operation.sql)
    elif isinstance(operation, RunPython):
        try:
            yield inspect.getsource(operation.code)
        except (OSError, TypeError):
            # Code that was not read from a file has no source and mentions nothing.
            return
    elif type(operation).__module__ not in STATE_OPERATIONS:
        yield repr(operation.deconstruct())


def _sql_text(sql: object) -> str:
    if isinstance(sql, str):
        return sql
    if isinstance(sql, Sequence):
        parts = (part if isinstance(part, str) else part[0] for part in sql)
        return "\n".join(map(str, parts))
    return str(sql)
