"""The statements about types and sequences."""

from __future__ import annotations

import re

from .column_steps import sequence_options
from .definition import SchemaObject
from .steps import Effect, Step, quick

NAMED_CONSTRAINT = re.compile(
    r"""("(?:[^"]|"")*"|\S+) (.*?)(?: comment (E?'(?:[^']|'')*'))?""", re.DOTALL
)
NOT_VALID = " NOT VALID"
ATTRIBUTE = re.compile(
    r"""("(?:[^"]|"")*"|\S+) (.*?)(?: collate (\S+))?(?: comment (E?'(?:[^']|'')*'))?""", re.DOTALL
)


def create_type(item: SchemaObject) -> list[Step]:
    """Return the steps that create an enum, a domain, a composite or a range; [] for others."""
    first = item.lines[0]
    if first == "enum":
        labels = ", ".join(item.values("label "))
        return quick(f"CREATE TYPE {item.name} AS ENUM ({labels})")
    if first.startswith("domain over "):
        return quick(*_create_domain(item), *_constraint_comments(item))
    if first == "composite":
        clauses = []
        for name, kind, collation, _ in map(_attribute, item.values("attribute ")):
            clauses.append(f"{name} {kind}" + (f" COLLATE {collation}" if collation else ""))
        statements = [f"CREATE TYPE {item.name} AS ({', '.join(clauses)})"]
        return quick(*statements, *_attribute_comments(None, item))
    return quick(_create_range(item)) if first == "range" else []


def _create_domain(item: SchemaObject) -> list[str]:
    text = f"CREATE DOMAIN {item.name} AS {item.lines[0].removeprefix('domain over ')}"
    if collation := item.value("collate "):
        text += f" COLLATE {collation}"
    if (default := item.value("default ")) is not None:
        text += f" DEFAULT {default}"
    if "not null" in item.lines:
        text += " NOT NULL"
    later = []
    for name, (clause, _) in _constraints(item).items():
        if clause.endswith(NOT_VALID):
            later.append(f"ALTER DOMAIN {item.name} ADD CONSTRAINT {name} {clause}")
        else:
            text += f" CONSTRAINT {name} {clause}"
    return [text, *later]


def _create_range(item: SchemaObject) -> str:
    options = [f"SUBTYPE = {item.value('subtype ')}"]
    for prefix, option in (
        ("operator class ", "SUBTYPE_OPCLASS"),
        ("collate ", "COLLATION"),
        ("difference ", "SUBTYPE_DIFF"),
        ("multirange ", "MULTIRANGE_TYPE_NAME"),
    ):
        if value := item.value(prefix):
            options.append(f"{option} = {value.partition('(')[0]}")
    return f"CREATE TYPE {item.name} AS RANGE ({', '.join(options)})"


def alter_type(before: SchemaObject, after: SchemaObject) -> list[Step] | None:
    """Return the steps that alter a type; None if it has to be dropped and created."""
    if before.lines[0] != after.lines[0]:
        return None
    if after.lines[0] == "enum":
        return _add_labels(after.name, before.values("label "), after.values("label "))
    if after.lines[0].startswith("domain over "):
        return _alter_domain(before, after)
    if after.lines[0] == "composite":
        return _alter_composite(before, after)
    return [] if _without_comment(before) == _without_comment(after) else None


def _without_comment(item: SchemaObject) -> list[str]:
    return [line for line in item.lines if not line.startswith("comment ")]


def _add_labels(name: str, old: list[str], new: list[str]) -> list[Step] | None:
    if [label for label in new if label in old] != old:
        return None
    steps, before = [], ""
    for label in new:
        if label not in old:
            place = f"AFTER {before}" if before else f"BEFORE {old[0]}" if old else ""
            text = f"ALTER TYPE {name} ADD VALUE {label} {place}".rstrip()
            steps.append(Step(text, Effect.ADDS_LABEL))
        before = label
    return steps


def _alter_domain(before: SchemaObject, after: SchemaObject) -> list[Step] | None:
    if before.value("collate ") != after.value("collate "):
        return None
    domain = f"ALTER DOMAIN {after.name} "
    steps: list[Step] = []
    if before.value("default ") != (default := after.value("default ")):
        steps += quick(f"{domain}{'DROP DEFAULT' if default is None else f'SET DEFAULT {default}'}")
    old, new = _constraints(before), _constraints(after)
    dropped = [name for name, (clause, _) in old.items() if new.get(name, ("",))[0] != clause]
    steps += quick(*(f"{domain}DROP CONSTRAINT {name}" for name in dropped))
    if ("not null" in before.lines) != ("not null" in after.lines):
        verb = "SET" if "not null" in after.lines else "DROP"
        steps.append(Step(f"{domain}{verb} NOT NULL", Effect.SCANS))
    for name, (clause, _) in new.items():
        if name not in old or name in dropped:
            steps.append(Step(f"{domain}ADD CONSTRAINT {name} {clause}", Effect.SCANS))
    kept = {name: parts[1] for name, parts in old.items() if name not in dropped}
    return steps + quick(*_constraint_comments(after, kept))


def _alter_composite(before: SchemaObject, after: SchemaObject) -> list[Step] | None:
    old = {part[0]: part for part in map(_attribute, before.values("attribute "))}
    new = {part[0]: part for part in map(_attribute, after.values("attribute "))}
    kept = [name for name in old if name in new]
    if list(new)[: len(kept)] != kept:
        return None
    steps = [
        Step(f"ALTER TYPE {after.name} DROP ATTRIBUTE {name}", Effect.LOSES)
        for name in old
        if name not in new
    ]
    for name, (_, kind, collation, _) in new.items():
        clause = f"{kind} COLLATE {collation}" if collation else kind
        if name not in old:
            steps += quick(f"ALTER TYPE {after.name} ADD ATTRIBUTE {name} {clause}")
        elif old[name][1:3] != new[name][1:3]:
            text = f"ALTER TYPE {after.name} ALTER ATTRIBUTE {name} TYPE {clause}"
            steps.append(Step(text, Effect.REWRITES))
    return steps + quick(*_attribute_comments(before, after))


def _constraints(item: SchemaObject) -> dict[str, tuple[str, str | None]]:
    found = {}
    for text in item.values("constraint "):
        if match := NAMED_CONSTRAINT.fullmatch(text):
            found[match[1]] = (match[2], match[3])
    return found


def _constraint_comments(
    item: SchemaObject, before: dict[str, str | None] | None = None
) -> list[str]:
    old = before or {}
    return [
        f"COMMENT ON CONSTRAINT {name} ON DOMAIN {item.name} IS {comment or 'NULL'}"
        for name, (_, comment) in _constraints(item).items()
        if comment != old.get(name)
    ]


def _attribute(text: str) -> tuple[str, str, str | None, str | None]:
    match = ATTRIBUTE.fullmatch(text)
    return (match[1], match[2], match[3], match[4]) if match else (text, "", None, None)


def _attribute_comments(before: SchemaObject | None, after: SchemaObject) -> list[str]:
    parts = map(_attribute, before.values("attribute ") if before else ())
    old = {name: comment for name, _, _, comment in parts}
    return [
        f"COMMENT ON COLUMN {after.name}.{name} IS {comment or 'NULL'}"
        for name, _, _, comment in map(_attribute, after.values("attribute "))
        if comment != old.get(name)
    ]


def create_sequence(item: SchemaObject) -> list[Step]:
    unlogged = "UNLOGGED " if "unlogged" in item.lines else ""
    return quick(
        f"CREATE {unlogged}SEQUENCE {item.name} AS {item.lines[0]} {sequence_options(item)}"
    )


def alter_sequence(before: SchemaObject, after: SchemaObject) -> list[Step]:
    """Return the steps that alter a sequence, without its owner."""
    steps: list[Step] = []
    if ("unlogged" in before.lines) != ("unlogged" in after.lines):
        persistence = "UNLOGGED" if "unlogged" in after.lines else "LOGGED"
        steps += quick(f"ALTER SEQUENCE {after.name} SET {persistence}")
    old = (before.lines[0], before.value("start "))
    if old != (after.lines[0], after.value("start ")):
        options = f"AS {after.lines[0]} {sequence_options(after)}"
        steps += quick(f"ALTER SEQUENCE {after.name} {options}")
    return steps


def set_sequence_owner(item: SchemaObject) -> list[Step]:
    return quick(f"ALTER SEQUENCE {item.name} OWNED BY {item.value('owned by ') or 'NONE'}")
