"""The statements about tables, as far as they are not about their columns."""

from __future__ import annotations

from ..catalog.expressions import split_names
from .column_steps import column_clause, column_settings
from .definition import SchemaDefinition, SchemaObject
from .steps import Effect, Step, quick, set_options

FIXED = ("of type ", "partition by ", "server ", "options ")
"""Properties of a table that no statement changes."""


def parents(table: SchemaObject) -> list[str]:
    """Return the names of the tables that a table inherits from."""
    return split_names(table.value("inherits ") or "")


def partition_bound(table: SchemaObject) -> str | None:
    return next(
        (
            line.removeprefix("partition ")
            for line in table.lines
            if line.startswith("partition ") and not line.startswith("partition by ")
        ),
        None,
    )


def create_table(definition: SchemaDefinition, table: SchemaObject) -> list[Step]:
    """Return the steps that create a table; its constraints and indexes follow."""
    is_partition = partition_bound(table) is not None
    columns = [
        column
        for column in definition.columns.get(table.name, ())
        if is_partition or not column.is_inherited
    ]
    clauses = ",\n".join(
        f"    {column_clause(definition, column, is_attached=is_partition)}" for column in columns
    )
    unlogged = "UNLOGGED " if "unlogged" in table.lines else ""
    text = (
        f"CREATE {unlogged}TABLE {table.name} (\n{clauses}\n)"
        if clauses
        else (f"CREATE {unlogged}TABLE {table.name} ()")
    )
    if not is_partition and parents(table):
        text += f"\nINHERITS ({', '.join(parents(table))})"
    for prefix, clause in (
        ("partition by ", "\nPARTITION BY {}"),
        ("access method ", "\nUSING {}"),
        ("with ", "\nWITH ({})"),
        ("tablespace ", "\nTABLESPACE {}"),
    ):
        if (value := table.value(prefix)) is not None:
            text += clause.format(value)
    steps = quick(text)
    for column in columns:
        steps += column_settings(definition, None, column)
    return steps + _settings(None, table)


def attach_partition(table: SchemaObject) -> list[Step]:
    """Return the step that makes a table a partition; it is empty or its rows are checked."""
    (parent,) = parents(table)
    attach = f"ALTER TABLE ONLY {parent} ATTACH PARTITION {table.name} {partition_bound(table)}"
    return [Step(attach, Effect.SCANS)]


def alter_table(before: SchemaObject, after: SchemaObject) -> list[Step] | None:
    """Return the steps that alter a table; None if no statement does."""
    if any(before.value(prefix) != after.value(prefix) for prefix in FIXED):
        return None
    table = f"ALTER TABLE {after.name} "
    steps: list[Step] = []
    if ("unlogged" in before.lines) != ("unlogged" in after.lines):
        persistence = "UNLOGGED" if "unlogged" in after.lines else "LOGGED"
        steps.append(Step(f"{table}SET {persistence}", Effect.REWRITES))
    for prefix, clause, usual in (
        ("access method ", "SET ACCESS METHOD", "heap"),
        ("tablespace ", "SET TABLESPACE", "pg_default"),
    ):
        if before.value(prefix) != (value := after.value(prefix)):
            steps.append(Step(f"{table}{clause} {value or usual}", Effect.REWRITES))
    return steps + _alter_parents(before, after) + _settings(before, after)


def _alter_parents(before: SchemaObject, after: SchemaObject) -> list[Step]:
    old, new = parents(before), parents(after)
    was, will = partition_bound(before), partition_bound(after)
    if (old, was) == (new, will):
        return []
    steps = []
    if was is not None:
        steps.append(Step(f"ALTER TABLE {old[0]} DETACH PARTITION {before.name}", Effect.LOSES))
        old = []
    for parent in old if will is None else ():
        if parent not in new:
            steps += quick(f"ALTER TABLE {before.name} NO INHERIT {parent}")
    if will is not None:
        return steps + attach_partition(after)
    return steps + quick(
        *(f"ALTER TABLE {after.name} INHERIT {parent}" for parent in new if parent not in old)
    )


def _settings(before: SchemaObject | None, after: SchemaObject) -> list[Step]:
    table = f"ALTER TABLE {after.name} "
    lines = before.lines if before else ()
    steps: list[Step] = []
    if before is not None:
        steps += set_options(table, before.values("with "), after.values("with "))
    steps += set_options(table, _toast(before) if before else (), _toast(after))
    for line, on, off in (
        ("row security enabled", "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
        ("row security forced", "FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"),
    ):
        if (line in lines) != (line in after.lines):
            effect = Effect.QUICK if line in after.lines else Effect.OPENS
            steps.append(Step(table + (on if line in after.lines else off), effect))
    old = before.value("replica identity ") if before else None
    new = after.value("replica identity ")
    if old != new and new != "lost":
        steps += quick(f"{table}REPLICA IDENTITY {(new or 'default').upper()}")
    return steps


def _toast(table: SchemaObject) -> list[str]:
    """Return the options of its TOAST table, named as ALTER TABLE names them."""
    options = (option for text in table.values("toast with ") for option in text.split(", "))
    return [f"toast.{option}" for option in options]
