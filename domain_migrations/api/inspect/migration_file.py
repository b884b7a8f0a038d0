"""The text of a migration with SQL for the database and model operations for the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .state_operations import StateOperations
from .statement_groups import StatementGroup

HEADER = "# Written by: manage.py inspect_domain {schema}"
BEGIN = StatementGroup(
    "", ["SET LOCAL check_function_bodies = off;", "SET LOCAL search_path = '';"]
)
"""Settings of dumps: a function may name a later object, and every name is qualified."""
END = StatementGroup(
    "", ["SET LOCAL check_function_bodies TO DEFAULT;", "SET LOCAL search_path TO DEFAULT;"]
)


def migration_text(
    groups: Sequence[StatementGroup],
    operations: StateOperations,
    *,
    schema: str,
) -> str:
    """Return the source of an initial migration.

    Arguments:
        groups: the statements of each of its operations on the database.
        operations: those on the models' state.
    """
    dependencies = [f"        {item}," for item in operations.dependencies()]
    database = [line for group in groups for line in _run_sql(group, " " * 16)]
    state = list(operations.lines(4))
    lines = [HEADER.format(schema=schema), "", *operations.imports.lines()]
    lines += [
        *("", "", "class Migration(migrations.Migration):"),
        *("    initial = True", ""),
        *_list("    dependencies = ", dependencies),
        *("", "    operations = ["),
        "        migrations.SeparateDatabaseAndState(",
        *_list("            database_operations=", database, ","),
        *_list("            state_operations=", state, ","),
        *("        ),", "    ]", ""),
    ]
    return "\n".join(lines)


def _list(prefix: str, lines: Sequence[str], suffix: str = "") -> Iterator[str]:
    """Yield a list of items that have their own lines."""
    if not lines:
        yield f"{prefix}[]{suffix}"
        return
    yield f"{prefix}["
    yield from lines
    indent = prefix[: len(prefix) - len(prefix.lstrip())]
    yield f"{indent}]{suffix}"


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
