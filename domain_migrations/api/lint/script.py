"""The SQL of a migration, each statement with the operation that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from ...domains import Domain
from ...engine.runner.dry_run.plan_preview import is_comment, read_only, state_before
from ...engine.runner.loader import DomainLoader
from ...engine.runner.observed_operations import run_operations
from ...engine.sources.files import MigrationKey
from ...engine.sources.parsing import header_of
from ...engine.sql.lexer import split_string
from .existing import ExistingObjects
from .statement_effects import Relations, with_new_relations

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class LintFinding:
    """Something dangerous in a migration.

    Attributes:
        sql: the statement; empty where the finding is about the migration as such.
        line: in the migration's file; None where it is unknown.
    """

    rule: str
    level: Level
    domain: str
    key: MigrationKey
    sql: str = ""
    message: str
    hint: str
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "level": self.level,
            "domain": self.domain,
            **self.key.as_json(),
            "sql": self.sql,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True)
class Statement:
    """A statement of a migration.

    Attributes:
        operation: the number of its operation, from 1.
        string: the number of the string in which it is sent to the server.
        alone: whether that string has no other statements.
        new: the relations that are new when it has run.
    """

    sql: str
    operation: int
    string: int = 0
    alone: bool = True
    new: Relations = frozenset()


NO_STATEMENT = Statement("", 0)
"""The place of what is about the migration as such."""


@dataclass(frozen=True)
class MigrationScript:
    """The SQL of a migration.

    Attributes:
        lines: the lines of the operations in the migration's file, as far as they are known.
        existing: what the migration finds.
        incomplete_reason: why the SQL is not known in full; empty where it is.
        refusal: why an operation refuses to run; empty where none does.
        refused: the number of that operation.
    """

    domain: Domain
    key: MigrationKey
    migration: Migration
    statements: tuple[Statement, ...]
    lines: tuple[int, ...]
    existing: ExistingObjects
    incomplete_reason: str = ""
    refusal: str = ""
    refused: int = 0

    def finding(
        self,
        rule: str,
        message: str,
        hint: str,
        place: Statement = NO_STATEMENT,
        level: Level = "error",
    ) -> LintFinding:
        """Return a finding at a statement; one without SQL stands for its whole operation."""
        # The line of the list stands for operations that are not written as one.
        line = self.lines[0] if self.lines else None
        if place.operation and len(self.lines) == len(self.migration.operations):
            line = self.lines[place.operation - 1]
        return LintFinding(
            rule=rule,
            level=level,
            domain=self.domain.name,
            key=self.key,
            sql=place.sql,
            message=message,
            hint=hint,
            line=line,
        )


def read_script(
    connection: BaseDatabaseWrapper, loader: DomainLoader, migration: Migration
) -> MigrationScript:
    """Return the SQL that applying a migration would run; nothing is run or can be written.

    SQL of Python code, and SQL that Django derives from reading the database, is not in it.
    """
    key = MigrationKey.of(migration)
    # The operations are wrapped while they run, so their positions are noted before.
    places = {id(operation): n for n, operation in enumerate(migration.operations, start=1)}
    found: list[tuple[str, int]] = []
    owners: dict[int, int] = {}
    number, incomplete_reason, refusal = 0, "", ""
    state = state_before(loader, migration)
    models = state.apps.get_models(include_auto_created=True)
    existing = ExistingObjects(connection, loader, key, models)
    try:
        with (
            read_only(connection, atomic=migration.atomic),
            connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor,
        ):
            taken = 0

            @contextmanager
            def watch(operation: Operation) -> Iterator[None]:
                nonlocal taken, number
                number = places[id(operation)]
                yield
                for deferred in editor.deferred_sql:
                    owners.setdefault(id(deferred), number)
                found.extend((sql, number) for sql in editor.collected_sql[taken:])
                taken = len(editor.collected_sql)

            run_operations(migration, state, editor, "forwards", watch)
            taken = len(editor.collected_sql)
        late = [owners.get(id(deferred), number) for deferred in editor.deferred_sql]
        found += zip(editor.collected_sql[taken:], late, strict=True)
    except NotSupportedError as exc:
        refusal = str(exc)
    except Exception as exc:  # the code of operations may raise anything
        incomplete_reason = str(exc).strip() or type(exc).__name__
    lines = header_of(key).lines
    return MigrationScript(
        loader.domain,
        key,
        migration,
        tuple(_statements(found, existing)),
        lines,
        existing,
        incomplete_reason,
        refusal,
        number,
    )


def _statements(
    strings: Iterable[tuple[str, int]], existing: ExistingObjects
) -> Iterator[Statement]:
    found: list[Statement] = []
    for number, (text, operation) in enumerate(strings):
        parts = [part for part in split_string(text) if not is_comment(part)]
        found += (Statement(part, operation, number, len(parts) == 1) for part in parts)
    texts = [statement.sql for statement in found]
    news = with_new_relations(texts, existing.has)
    return (replace(one, new=new) for one, (_, new) in zip(found, news, strict=True))
