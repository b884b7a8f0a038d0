"""The statements about columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..sql.literals import quote_literal
from .definition import SchemaDefinition, SchemaObject
from .steps import Effect, Step, quick, set_options

TYPE_OPTIONS = re.compile(r"\([\d,-]+\)")
"""The length or precision of a type."""
TEXTS = ("text", "character varying", "character")
"""Types that take values of every other one."""


def column_type(column: SchemaObject) -> str:
    return column.lines[0]


def collation(column: SchemaObject) -> str:
    found = column.value("collate ")
    return f" COLLATE {found}" if found else ""


def is_not_null(column: SchemaObject) -> bool:
    return column.value("not null") is not None


def generation(column: SchemaObject) -> str | None:
    """Return the expression and ``stored`` or ``virtual`` of a generated column."""
    return column.value("generated ")


def identity_sequence(definition: SchemaDefinition, column: SchemaObject) -> SchemaObject | None:
    """Return the sequence of an identity column."""
    if column.value("identity ") is None:
        return None
    return definition.identity_sequences.get(column.name)


def sequence_options(sequence: SchemaObject) -> str:
    """Return the clauses of a sequence after its type."""
    words = sequence.value("start ") or ""
    text = f"START WITH {words}"
    for word, clause in (
        ("increment", "INCREMENT BY"),
        ("minimum", "MINVALUE"),
        ("maximum", "MAXVALUE"),
        ("cache", "CACHE"),
    ):
        text = text.replace(f" {word} ", f" {clause} ", 1)
    is_cycle = text.endswith(" cycle")
    return text.removesuffix(" cycle") + (" CYCLE" if is_cycle else " NO CYCLE")


def identity_clause(definition: SchemaDefinition, column: SchemaObject) -> str:
    kind = (column.value("identity ") or "").upper()
    sequence = identity_sequence(definition, column)
    options = f"SEQUENCE NAME {sequence.name} {sequence_options(sequence)}" if sequence else ""
    return f"GENERATED {kind} AS IDENTITY" + (f" ({options})" if options else "")


def column_clause(
    definition: SchemaDefinition, column: SchemaObject, *, is_attached: bool = False
) -> str:
    """Return what defines a column in CREATE TABLE and ADD COLUMN.

    Arguments:
        is_attached: whether its table is attached as a partition, from 17 on with the identity.
    """
    text = f"{column.own_name} {column_type(column)}{collation(column)}"
    if (default := column.value("default ")) is not None:
        text += f" DEFAULT {default}"
    if (generated := generation(column)) is not None:
        expression, _, storage = generated.rpartition(" ")
        text += f" GENERATED ALWAYS AS ({expression}) {storage.upper()}"
    has_identity = not is_attached or definition.version < 170000
    if has_identity and column.value("identity ") is not None:
        text += f" {identity_clause(definition, column)}"
    if is_not_null(column):
        name = _not_null_name(definition, column)
        text += f" CONSTRAINT {name} NOT NULL" if name else " NOT NULL"
    return text


def _not_null_name(definition: SchemaDefinition, column: SchemaObject) -> str:
    """Return the name of a column's constraint, where it is read; "" for the usual one."""
    name = definition.not_null_names.get(column.key, "")
    usual = f"{column.parts[1]}_{column.own_name}_not_null"
    return "" if name.strip('"') == usual.replace('"', "") else name


def add_column(definition: SchemaDefinition, column: SchemaObject) -> list[Step]:
    """Return the steps that add a column to a table."""
    has_value = column.value("default ") or generation(column) or column.value("identity ")
    effect = Effect.QUICK
    if generation(column) and not (generation(column) or "").endswith(" virtual"):
        effect = Effect.SCANS
    elif is_not_null(column) and not has_value:
        effect = Effect.NOT_NULL
    elif column.value("identity ") or "nextval(" in (column.value("default ") or ""):
        effect = Effect.SCANS
    add = f"ALTER TABLE {column.table} ADD COLUMN {column_clause(definition, column)}"
    return [Step(add, effect), *column_settings(definition, None, column)]


def drop_column(column: SchemaObject) -> list[Step]:
    # The values of a generated column come back with it.
    effect = Effect.REWRITES if generation(column) else Effect.LOSES
    return [Step(f"ALTER TABLE {column.table} DROP COLUMN {column.own_name}", effect)]


def must_be_replaced(before: SchemaObject, after: SchemaObject) -> bool:
    """Return whether only dropping and adding a column makes it what it should be."""
    old, new = generation(before), generation(after)
    if new is None:
        return old is not None and old.endswith(" virtual")
    return old != new


def changes_type(before: SchemaObject, after: SchemaObject) -> bool:
    return (column_type(before), collation(before)) != (column_type(after), collation(after))


def _is_assigned(before: str, after: str) -> bool:
    """Return whether values get another type without a cast, which would shorten them silently."""
    old, new = (TYPE_OPTIONS.sub("", kind) for kind in (before, after))
    return old == new or new in TEXTS


def release_column(
    definition: SchemaDefinition, before: SchemaObject, after: SchemaObject
) -> list[Step]:
    """Return what has to go before anything else is dropped: a default or an identity.

    The identity of a partition is its parent's, and goes when it is detached.
    """
    prefix = f"ALTER TABLE {before.table} ALTER COLUMN {before.own_name}"
    steps = []
    if identity_sequence(definition, before) and after.value("identity ") is None:
        steps.append(f"{prefix} DROP IDENTITY")
    if before.value("default ") not in (None, after.value("default ")):
        steps.append(f"{prefix} DROP DEFAULT")
    return quick(*steps)


def alter_column(
    definition: SchemaDefinition,
    before: SchemaObject,
    after: SchemaObject,
    *,
    retype: bool = False,
    default: bool = False,
) -> list[Step]:
    """Return the steps that alter a column, after :func:`release_column`.

    Arguments:
        retype: give it its type, because it has another one meanwhile.
        default: set its default, because it has none meanwhile.
    """
    table, name = after.table, after.own_name
    prefix = f"ALTER TABLE {table} ALTER COLUMN {name}"
    new_default = after.value("default ")
    steps: list[Step] = []
    if generation(before) is not None and generation(after) is None:
        steps += quick(f"{prefix} DROP EXPRESSION")
    must_set = default or before.value("default ") != new_default
    if changes_type(before, after) or retype:
        clause = f"ALTER COLUMN {name} TYPE {column_type(after)}{collation(after)}"
        is_assigned = not retype and _is_assigned(column_type(before), column_type(after))
        if generation(after) is None and not is_assigned:
            clause += f" USING {name}{_by_text(definition, after)}::{column_type(after)}"
        if before.value("default ") is not None and not must_set:
            # A default of the old type may have no cast to the new one.
            clause = f"ALTER COLUMN {name} DROP DEFAULT, {clause}"
            must_set = True
        steps.append(Step(f"ALTER TABLE {table} {clause}", Effect.REWRITES))
    if is_not_null(before) != is_not_null(after):
        verb = "SET" if is_not_null(after) else "DROP"
        effect = Effect.NOT_NULL if is_not_null(after) else Effect.QUICK
        constraint = _not_null_name(definition, after) if is_not_null(after) else ""
        text = f"ALTER TABLE {table} ADD CONSTRAINT {constraint} NOT NULL {name}"
        steps.append(Step(text if constraint else f"{prefix} {verb} NOT NULL", effect))
    elif (before.value("not null") or "").startswith(" not valid"):
        steps.append(Step(f"{prefix} SET NOT NULL", Effect.NOT_NULL))
    if must_set and new_default is not None:
        steps += quick(f"{prefix} SET DEFAULT {new_default}")
    steps += _alter_identity(definition, prefix, before, after)
    return [*steps, *column_settings(definition, before, after)]


def _by_text(definition: SchemaDefinition, column: SchemaObject) -> str:
    """Return the cast to text for values that get an enum; another enum has no cast to it."""
    kind = column_type(column)
    found = definition.objects.get(("type", kind.removesuffix("[]")))
    if found is None or found.lines[0] != "enum":
        return ""
    return "::text[]" if kind.endswith("[]") else "::text"


def view_default(before: SchemaObject | None, after: SchemaObject) -> list[Step]:
    """Return the step for the default of a view's column, which INSERT takes."""
    old, new = (item.value("default ") if item else None for item in (before, after))
    if old == new:
        return []
    action = "DROP DEFAULT" if new is None else f"SET DEFAULT {new}"
    return quick(f"ALTER VIEW {after.table} ALTER COLUMN {after.own_name} {action}")


def _alter_identity(
    definition: SchemaDefinition, prefix: str, before: SchemaObject, after: SchemaObject
) -> list[Step]:
    old, new = before.value("identity "), after.value("identity ")
    sequence = identity_sequence(definition, after)
    if new is None or sequence is None or old == new:
        return []  # A partition has that of its parent.
    if old is not None:
        return quick(f"{prefix} SET GENERATED {new.upper()}")
    steps = quick(f"{prefix} ADD {identity_clause(definition, after)}")
    return [*steps, *continue_after_rows(sequence, after)]


def continue_after_rows(sequence: SchemaObject, column: SchemaObject) -> list[Step]:
    """Return the step that makes a new sequence continue after the values of a column."""
    highest = f"max({column.own_name})"
    call = f"pg_catalog.setval({quote_literal(sequence.name)}, {highest})"
    return quick(f"SELECT {call} FROM {column.table} HAVING {highest} IS NOT NULL")  # noqa: S608 (quoted)


def column_settings(
    definition: SchemaDefinition, before: SchemaObject | None, after: SchemaObject
) -> list[Step]:
    """Return the steps for what is not a part of a column's definition, except its comment."""
    prefix = f"ALTER TABLE {after.table} ALTER COLUMN {after.own_name} "
    found = list(_settings(definition, before, after))
    old = before.values("with ") if before else []
    return [
        *quick(*(prefix + clause for clause in found)),
        *set_options(prefix, old, after.values("with ")),
    ]


def _settings(
    definition: SchemaDefinition, before: SchemaObject | None, after: SchemaObject
) -> Iterator[str]:
    # The type's own storage has no name before 16; that of every type with a choice is extended.
    own_storage = "DEFAULT" if definition.version >= 160000 else "EXTENDED"
    for prefix, clause, usual in (
        ("storage ", "SET STORAGE", own_storage),
        ("compression ", "SET COMPRESSION", "default"),
        ("statistics ", "SET STATISTICS", "-1"),
    ):
        old, new = before.value(prefix) if before else None, after.value(prefix)
        if old != new:
            yield f"{clause} {new or usual}"
