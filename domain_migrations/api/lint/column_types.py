"""Types of columns, and what PostgreSQL does to a table whose column changes its type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ...engine.sql.words import Words

Conversion = Literal["kept", "indexes", "rewritten"]
"""Whether the table is kept as it is, or the indexes on the column or all rows are rewritten."""

ALIASES = {
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "decimal": "numeric",
    "bool": "boolean",
    "float": "double precision",
    "float8": "double precision",
    "float4": "real",
    "character varying": "varchar",
    "char varying": "varchar",
    "character": "bpchar",
    "char": "bpchar",
    "bit varying": "varbit",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
}
ONE_UNLESS_GIVEN = ("char", "character", "bit")
SERIALS = ("smallserial", "serial", "bigserial", "serial2", "serial4", "serial8")
UNITS = ("year", "month", "day", "hour", "minute", "second")
PRECISIONS = ("timestamp", "timestamptz", "time", "timetz", "interval")
FULL_PRECISION = 6
LENGTHS = ("varchar", "varbit")
OBJECT_IDS = ("regclass", "regtype")

KEPT = {
    ("varchar", "text"),
    ("text", "varchar"),
    ("xml", "text"),
    ("xml", "varchar"),
    ("xml", "bpchar"),
    ("cidr", "inet"),
    *(("oid", name) for name in OBJECT_IDS),
    *((name, "oid") for name in OBJECT_IDS),
}
INDEXES = {
    ("varchar", "bpchar"),
    ("text", "bpchar"),
    ("bit", "varbit"),
    ("text", "citext"),
    ("varchar", "citext"),
    ("citext", "text"),
    ("citext", "varchar"),
    ("integer", "oid"),
    ("oid", "integer"),
    *(("integer", name) for name in OBJECT_IDS),
    *((name, "integer") for name in OBJECT_IDS),
}
IN_UTC = {("timestamp", "timestamptz"), ("timestamptz", "timestamp")}


@dataclass(frozen=True)
class ColumnType:
    """A type, as PostgreSQL's ``format_type()`` or a migration's SQL writes it.

    Attributes:
        base: its name, in one of the ways to write it.
        modifiers: length, or precision and scale.
        unit: the smallest unit of an interval.
        is_domain: whether it is the type of a domain, which cannot hold what others hold.
    """

    base: str
    modifiers: tuple[int, ...] = ()
    unit: str = ""
    is_array: bool = False
    is_domain: bool = False

    @classmethod
    def of(cls, text: str) -> ColumnType:
        words = Words.of(text)
        words.at += 2 * (len(words.tokens) > 2 and words.tokens[0].text == "pg_catalog")
        quoted = words.rest and words.rest[0].kind == "quoted"
        names: list[str] = []
        modifiers: tuple[int, ...] = ()
        is_array = False
        while words.rest:
            if group := words.skip_group():
                given = "".join(token.raw for token in group)
                modifiers = tuple(map(int, re.findall(r"-?\d+", given)))  # a scale may be negative
            elif words.sign("[") or words.take("array"):
                is_array = True
            elif name := words.identifier():
                names.append(name)
            elif words.sign(".") and names:
                names[-1] = f"{names[-1]}.{words.identifier()}"
            else:
                words.at += 1
        name = " ".join(names)
        unit = ""
        if names[:1] == ["interval"]:
            name, unit = "interval", names[-1] if names[-1] in UNITS else UNITS[-1]
        if name in ONE_UNLESS_GIVEN and not modifiers and not quoted:
            modifiers = (1,)
        if quoted and name == "char":
            return cls('"char"', (), "", is_array)
        base = ALIASES.get(name, name)
        if base == "numeric" and len(modifiers) == 1:
            modifiers = (*modifiers, 0)
        if base in PRECISIONS and modifiers[:1] == (FULL_PRECISION,):
            modifiers = ()
        return cls(base, modifiers, unit, is_array)


def conversion(old: ColumnType, new: ColumnType, *, in_utc: bool = True) -> Conversion:
    """Return what changing a column's type does to its table.

    Tried for each pair on PostgreSQL 15 and 18.

    Arguments:
        in_utc: whether the session's time zone is UTC.
    """
    if old == new:
        return "kept"
    if old.is_array != new.is_array:
        return "rewritten"
    if old.base == new.base:
        return "kept" if _is_wider(old, new) else "rewritten"
    if old.is_array or new.modifiers:
        return "rewritten"
    pair = (old.base, new.base)
    if pair in KEPT:
        return "kept"
    return "indexes" if pair in INDEXES or (pair in IN_UTC and in_utc) else "rewritten"


def _is_wider(old: ColumnType, new: ColumnType) -> bool:
    if old.unit != new.unit or new.base == "interval":
        # The precision is the seconds', and matters only where there are any.
        finer = UNITS.index(new.unit) >= UNITS.index(old.unit)
        return finer and (old.unit != UNITS[-1] or _is_wider_number(old, new))
    if old.is_array or old.is_domain:
        return not new.modifiers
    return _is_wider_number(old, new)


def _is_wider_number(old: ColumnType, new: ColumnType) -> bool:
    if not new.modifiers:
        return True
    if not old.modifiers:
        return False
    if new.base == "numeric":
        return old.modifiers[1:] == new.modifiers[1:] and old.modifiers[0] <= new.modifiers[0]
    return new.base in (*LENGTHS, *PRECISIONS) and old.modifiers <= new.modifiers
