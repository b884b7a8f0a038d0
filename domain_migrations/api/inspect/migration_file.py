"""The text of a migration with SQL for the database and model operations for the state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter

from .statement_groups import StatementGroup

HEADER = "# Written by: manage.py inspect_domain {schema}\n\n"
PLACEHOLDER = "the statements"
PLACE = re.compile(rf"^( *)migrations\.RunSQL\(\n *sql={PLACEHOLDER!r},\n *\),\n", re.MULTILINE)

BEGIN = StatementGroup(
    "", ["SET LOCAL check_function_bodies = off;", "SET LOCAL search_path = '';"]
)
"""Settings of dumps: a function may name a later object, and every name is qualified."""
END = StatementGroup(
    "", ["SET LOCAL check_function_bodies TO DEFAULT;", "SET LOCAL search_path TO DEFAULT;"]
)


def migration_text(
    migration: Migration,
    groups: Sequence[StatementGroup],
    state_operations: Sequence[Operation],
    *,
    schema: str,
) -> str:
    """Return the source of a migration that executes statements and changes the models' state.

    Arguments:
        migration: its name, app, dependencies and whether it is initial.
        groups: the statements of each of its operations.
    """
    vars(migration)["operations"] = [
        SeparateDatabaseAndState(
            database_operations=[RunSQL(PLACEHOLDER)], state_operations=list(state_operations)
        )
    ]
    text = MigrationWriter(migration, include_header=False).as_string()

    def operations(place: re.Match[str]) -> str:
        return "".join(f"{line}\n" for group in groups for line in _run_sql(group, place[1]))

    return HEADER.format(schema=schema) + PLACE.sub(operations, text, count=1)


def _run_sql(group: StatementGroup, indent: str) -> Iterator[str]:
    yield f"{indent}migrations.RunSQL("
    yield from _statements("sql", group.forwards, indent + "    ")
    if group.backwards:
        yield from _statements("reverse_sql", group.backwards, indent + "    ")
    else:
        yield f"{indent}    reverse_sql=migrations.RunSQL.noop,"
    yield f"{indent}),"


def _statements(name: str, statements: Iterable[str], indent: str) -> Iterator[str]:
    yield f"{indent}{name}=["
    for statement in statements:
        yield f"{indent}    {_literal(statement)},"
    yield f"{indent}],"


def _literal(text: str) -> str:
    """Return a literal of a statement, in lines of its own where Python keeps them as they are."""
    is_plain = not any(sign in text for sign in ('"""', "\r", "\f")) and text.endswith(";")
    prefix = "r" if "\\" in text else ""
    if is_plain and "\n" in text:
        return f'{prefix}"""{text}"""'
    if is_plain and '"' not in text:
        return f'{prefix}"{text}"'
    return repr(text)
