"""The text of a migration with SQL for the database and model operations for the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ...engine.sources.checksum import PART, checksum_in_parts
from .serialised_code import serialise_code, serialise_run_sql
from .state_operations import StateOperations, operation_lines
from .statement_groups import StatementGroup

HEADER = "# Written by: manage.py inspect_domain {schema}"
BEGIN = StatementGroup(
    "", ["SET LOCAL check_function_bodies = off;", "SET LOCAL search_path = '';"]
)
"""Settings of dumps: a function may name a later object, and every name is qualified."""
END = StatementGroup(
    "", ["SET LOCAL check_function_bodies TO DEFAULT;", "SET LOCAL search_path TO DEFAULT;"]
)


@dataclass(frozen=True)
class MigrationSource:
    """The source of a migration, and its checksum."""

    text: str
    checksum: str


def migration_source(
    groups: Iterable[StatementGroup],
    operations: StateOperations,
    *,
    schema: str,
) -> MigrationSource:
    """Return an initial migration.

    Arguments:
        groups: the statements of each of its operations on the database.
        operations: those on the models' state.
    """
    groups = tuple(groups)
    codes = tuple(operations.codes())
    database = ["\n".join(run_sql(group, " " * 16)) for group in groups]
    state = ["\n".join(operation_lines(code, 4)) for code in codes]
    dependencies = operations.dependencies()
    head = [HEADER.format(schema=schema), "", *operations.imports.lines()]
    head += ["", "", "class Migration(migrations.Migration):", "    initial = True", ""]
    head += _list("    dependencies = ", [f"        {item}" for item in dependencies])

    def text(database: Sequence[str], state: Sequence[str]) -> str:
        lines = [
            *("", "    operations = [", "        migrations.SeparateDatabaseAndState("),
            *_list("            database_operations=", database, ","),
            *_list("            state_operations=", state, ","),
            *("        ),", "    ]", ""),
        ]
        return "\n".join([*head, *lines])

    outline = text([PART] * len(database), [PART] * len(state))
    parts = chain(map(serialise_run_sql, groups), map(serialise_code, codes))
    return MigrationSource(text(database, state), checksum_in_parts(outline, parts))


def _list(prefix: str, items: Sequence[str], suffix: str = "") -> Iterator[str]:
    """Yield the lines of a list of items that have their own."""
    if not items:
        yield f"{prefix}[]{suffix}"
        return
    yield f"{prefix}["
    for item in items:
        yield f"{item},"
    indent = prefix[: len(prefix) - len(prefix.lstrip())]
    yield f"{indent}]{suffix}"


def run_sql(group: StatementGroup, indent: str) -> Iterator[str]:
    """Yield the lines of the operation that executes a group's statements."""
    yield f"{indent}migrations.RunSQL("
    yield from _statements("sql", group.forwards, indent + "    ")
    if group.backwards:
        yield from _statements("reverse_sql", group.backwards, indent + "    ")
    else:
        yield f"{indent}    reverse_sql=migrations.RunSQL.noop,"
    yield f"{indent})"


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
