"""The statements about objects without rows: indexes, constraints, views, functions …"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .column_steps import identity_sequence
from .definition import COMMENT, IDENTITY_OF, SchemaDefinition, SchemaObject
from .steps import Effect, Step, quick
from .type_steps import NOT_VALID, create_type

ROUTINES = ("function", "procedure", "window function")
VIEWS = ("view", "materialized view")
TRIGGER_STATES = {
    "disabled": "DISABLE",
    "on replica only": "ENABLE REPLICA",
    "always": "ENABLE ALWAYS",
}
PARTS = ("constraint", "policy", "rule", "trigger")
"""Kinds whose names belong to a table."""
FLAGS = ("clustered", "replica identity", "inherited", "inherited and local", *TRIGGER_STATES)
FLAG_PREFIXES = (COMMENT, "target ", "part of ", "tablespace ", "statistics ")
"""Properties that do not need the object to be created again."""
NAME = r'(?:"(?:[^"]|"")*"|[^".\s]+)'
INDEXED = re.compile(rf" ON (?:ONLY )?({NAME}\.{NAME}) USING ")
OPTIONS_OF_INDEX = re.compile(r" WITH \(([^()]*)\)")


def body(item: SchemaObject) -> list[str]:
    """Return the properties that make an object what it is."""
    return [
        line.rstrip("\n")
        for line in item.lines
        if line not in FLAGS and not line.startswith(FLAG_PREFIXES)
    ]


def comment_steps(before: SchemaObject | None, after: SchemaObject) -> list[Step]:
    """Return the step that sets or removes a comment, if it differs."""
    if (before.comment if before else None) == after.comment:
        return []
    kind = {"window function": "FUNCTION", "type": "TYPE"}.get(after.kind, after.kind.upper())
    target = f"{kind} {after.name}"
    if after.kind in PARTS:
        target = f"{kind} {after.own_name} ON {after.table}"
    return quick(f"COMMENT ON {target} IS {after.comment or 'NULL'}")


def create_object(
    definition: SchemaDefinition, item: SchemaObject, *, attach: bool = True
) -> list[Step]:
    """Return the steps that create an object, without its comment; [] if it is not known how.

    Arguments:
        attach: attach an index to that of the parent of its table.
    """
    text = ""
    if item.kind == "constraint":
        return _add_constraint(item)
    if item.kind == "index":
        steps = [Step(item.lines[0], Effect.BUILDS)]
        if attach and (parent := item.value("part of ")):
            steps += quick(f"ALTER INDEX {parent} ATTACH PARTITION {item.name}")
        return steps
    if item.kind in ("trigger", "rule", "statistics"):
        text = item.lines[0].rstrip(";")
    elif item.kind in ROUTINES:
        text = item.lines[0].rstrip()
    elif item.kind == "policy":
        text = _create_policy(item)
    elif item.kind in VIEWS:
        text = create_view(item)
    elif item.kind == "extension":
        text = f"CREATE EXTENSION IF NOT EXISTS {item.name} WITH SCHEMA {item.value('in ')}"
    elif item.kind == "type":
        return create_type(item) or quick(*definition.script(item))
    else:
        return quick(*definition.script(item))
    return quick(text)


def create_view(view: SchemaObject, *, replace: bool = False) -> str:
    verb = "CREATE OR REPLACE" if replace else "CREATE"
    text = f"{verb} {view.kind.upper()} {view.name}"
    if method := view.value("access method "):
        text += f" USING {method}"
    if options := view.value("with "):
        text += f" WITH ({options})"
    if tablespace := view.value("tablespace "):
        text += f" TABLESPACE {tablespace}"
    query = (view.value("as\n") or "").rstrip().rstrip(";")
    return f"{text} AS\n{query}"


def _add_constraint(item: SchemaObject) -> list[Step]:
    clause = item.lines[0]
    index = item.value("index ")
    options = OPTIONS_OF_INDEX.search(index) if index else None
    if options and " WITH (" not in clause:
        place = clause.find(" DEFERRABLE")
        place = place if place > 0 else len(clause)
        clause = f"{clause[:place]} WITH ({options[1]}){clause[place:]}"
    if index is not None:
        effect = Effect.SCANS
    elif clause.endswith((NOT_VALID, " NOT ENFORCED")):
        effect = Effect.QUICK
    else:
        effect = Effect.CHECKS
    text = f"ALTER TABLE {item.table} ADD CONSTRAINT {item.own_name} {clause}"
    return [Step(text, effect)]


def _create_policy(item: SchemaObject) -> str:
    kind = "RESTRICTIVE" if "restrictive" in item.lines else "PERMISSIVE"
    text = f"CREATE POLICY {item.own_name} ON {item.table} AS {kind}"
    text += f" FOR {(item.value('for ') or 'all').upper()} TO {item.value('to ') or 'public'}"
    if using := item.value("using "):
        text += f" USING ({using})"
    if check := item.value("with check "):
        text += f" WITH CHECK ({check})"
    return text


def drop_object(item: SchemaObject) -> list[Step]:
    """Return the step that drops an object."""
    kind = "FUNCTION" if item.kind == "window function" else item.kind.upper()
    if item.kind == "constraint":
        return quick(f"ALTER TABLE {item.table} DROP CONSTRAINT {item.own_name}")
    if item.kind == "policy":
        return [Step(f"DROP POLICY {item.own_name} ON {item.table}", Effect.OPENS)]
    if item.kind in PARTS:
        return quick(f"DROP {kind} {item.own_name} ON {item.table}")
    if item.kind == "cast":
        return quick(f"DROP CAST ({item.name})")
    loses = item.kind in ("table", "foreign table", "sequence", "materialized view", "extension")
    if item.kind == "type" and item.lines[0].startswith("domain over "):
        kind = "DOMAIN"
    return [Step(f"DROP {kind} {item.name}", Effect.LOSES if loses else Effect.QUICK)]


def flag_steps(before: SchemaObject | None, after: SchemaObject) -> list[Step]:
    """Return the steps for what is not a part of an object's definition, except its comment."""
    found = [*_trigger_state(before, after), *_index_flags(before, after)]
    old, new = before.value("target ") if before else None, after.value("target ")
    if after.kind == "statistics" and old != new:
        found.append(f"ALTER STATISTICS {after.name} SET STATISTICS {new or '-1'}")
    return quick(*found)


def _trigger_state(before: SchemaObject | None, after: SchemaObject) -> Iterator[str]:
    if after.kind not in ("trigger", "rule"):
        return
    old = _state(before) if before else "ENABLE"
    if old != (new := _state(after)):
        yield f"ALTER TABLE {after.table} {new} {after.kind.upper()} {after.own_name}"


def _state(item: SchemaObject) -> str:
    return next((verb for line, verb in TRIGGER_STATES.items() if line in item.lines), "ENABLE")


def _index_flags(before: SchemaObject | None, after: SchemaObject) -> Iterator[str]:
    if after.kind not in ("index", "constraint"):
        return
    lines = before.lines if before else ()
    table = indexed_table(after)
    if ("clustered" in lines) != ("clustered" in after.lines):
        on = "clustered" in after.lines
        yield f"ALTER TABLE {table} " + (
            f"CLUSTER ON {after.own_name}" if on else "SET WITHOUT CLUSTER"
        )
    if ("replica identity" in lines) != ("replica identity" in after.lines):
        on = "replica identity" in after.lines
        yield f"ALTER TABLE {table} REPLICA IDENTITY " + (
            f"USING INDEX {after.own_name}" if on else "DEFAULT"
        )
    old = dict(_targets(before)) if before else {}
    new = dict(_targets(after))
    for column in sorted(old.keys() | new.keys()):
        if old.get(column) != new.get(column):
            target = new.get(column, "-1")
            yield f"ALTER INDEX {after.name} ALTER COLUMN {column} SET STATISTICS {target}"
    if before is not None and before.value("tablespace ") != after.value("tablespace "):
        index = f"{after.parts[0]}.{after.own_name}"
        yield f"ALTER INDEX {index} SET TABLESPACE {after.value('tablespace ') or 'pg_default'}"


def indexed_table(item: SchemaObject) -> str:
    """Return the name of the table of an index or constraint."""
    if item.kind == "constraint":
        return item.table
    found = INDEXED.search(item.lines[0])
    return found[1] if found else ""


def _targets(item: SchemaObject) -> Iterator[tuple[str, str]]:
    for text in item.values("statistics "):
        for pair in text.split(", "):
            column, _, target = pair.partition(": ")
            yield column, target


def is_renamed(before: SchemaObject, after: SchemaObject) -> bool:
    """Return whether two indexes or constraints of a table differ in nothing but their names."""
    if before.place != after.place:
        return False
    if before.kind == "sequence":
        owner = before.value("owned by ") or before.value(IDENTITY_OF)
        return owner is not None and owner in (after.value("owned by "), after.value(IDENTITY_OF))
    if before.kind not in ("index", "constraint"):
        return False
    return _nameless(before) == _nameless(after)


def _nameless(item: SchemaObject) -> list[str]:
    name = item.own_name
    return [line.replace(f" INDEX {name} ON ", " INDEX ON ", 1) for line in body(item)]


def rename_steps(before: SchemaObject, after: SchemaObject) -> list[Step]:
    """Return the step that gives an object its name."""
    if before.kind == "constraint":
        change = f"RENAME CONSTRAINT {before.own_name} TO {after.own_name}"
        return quick(f"ALTER TABLE {after.table} {change}")
    return quick(f"ALTER {before.kind.upper()} {before.name} RENAME TO {after.own_name}")


def taken_names(definition: SchemaDefinition | None, item: SchemaObject) -> list[str]:
    """Return the names of relations that an object has: its own, and that of its index.

    Arguments:
        definition: where to look for the sequences of a table's identity columns.
    """
    if item.kind == "constraint":
        return [f"{item.parts[0]}.{item.own_name}"] if item.value("index ") else []
    if item.kind == "table" and definition is not None:
        columns = definition.columns.get(item.name, ())
        found = (identity_sequence(definition, column) for column in columns)
        return [item.name, *(sequence.name for sequence in found if sequence)]
    return (
        [item.name] if item.kind in ("table", "foreign table", "index", "sequence", *VIEWS) else []
    )
