"""The shape that the engine's own tables need: what its queries read, and its rows are written to.

A column may be of any type that takes the same values, and more columns may have been added. In
whatever else someone has made of a table, its rows are read wrongly, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, get_args

from ...domains import Domain, QualifiedName
from ...exceptions import ChangedTable
from ..sessions.database_errors import ENGINE_TABLES

Kind = Literal["history", "journal", "seeds", "seed_rows"]

INTEGER = ("bigint", "integer", "smallint")
TEXT = ("character varying", "text")
TIME = ("timestamp with time zone", "timestamp without time zone")
JSON = ("jsonb",)

COLUMNS: Mapping[Kind, Mapping[str, Sequence[str]]] = {
    "history": {"id": INTEGER, "app": TEXT, "name": TEXT, "applied": TIME},
    "journal": {
        "id": INTEGER,
        "run": ("uuid",),
        "batch": INTEGER,
        **dict.fromkeys(("app", "name", "direction", "status"), TEXT),
        "started": TIME[:1],
        "seconds": ("double precision", "real"),
        **dict.fromkeys(("checksum", "database_user", "os_user", "host"), TEXT),
        **dict.fromkeys(("project_version", "engine_version", "django_version"), TEXT),
        "footprint": JSON,
        "details": JSON,
        **dict.fromkeys(("error", "sqlstate"), TEXT),
    },
    "seeds": {
        "id": INTEGER,
        **dict.fromkeys(("app", "name", "checksum"), TEXT),
        "seeded_at": TIME[:1],
        **dict.fromkeys(("inserted", "updated", "kept"), INTEGER),
        "tables": JSON,
    },
    "seed_rows": {**dict.fromkeys(("relation", "key", "seed"), TEXT), "values": JSON},
}
"""The columns of a table → the types that each may have, the engine's own first."""

RELATIONS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "S": "a sequence",
    "c": "a type",
    "i": "an index",
    "I": "an index",
}

PUT_BACK = "Put it back, or restore the table from a backup; nothing was changed."


def kinds_of(tables: Sequence[QualifiedName], domains: Sequence[Domain]) -> list[Kind | None]:
    """Return what each of the tables is to the domains; None for tables of models."""
    if not any(table.name.startswith(ENGINE_TABLES) for table in tables):
        return [None] * len(tables)
    kinds: dict[QualifiedName, Kind] = {}
    for domain in domains:
        kinds |= zip(domain.engine_tables, get_args(Kind), strict=True)
    return [kinds.get(table) for table in tables]


def check_shape(
    table: QualifiedName, kind: Kind, relkind: str, columns: str | None, *, hidden: bool
) -> None:
    """Refuse a table that cannot be read or written as one of the engine's.

    Arguments:
        relkind: of ``pg_class``.
        columns: the object of names and types, as JSON.
        hidden: whether row-level security keeps rows from the role.

    Raises:
        ChangedTable: someone has changed it, or replaced it.
    """
    if relkind not in "rp":
        what = RELATIONS.get(relkind, "no table")
        raise ChangedTable(
            f"{table} is {what}, not the table that domain_migrations has made.",
            hint="Rename or drop it, and put the table back, or restore it from a backup;"
            " nothing was changed.",
        )
    problem = next(_column_problems(table, kind, json.loads(columns or "{}")), None)
    if problem is not None:
        raise problem
    if hidden:
        raise ChangedTable(
            f"Row-level security hides rows of {table} from the role in use, so what is applied is"
            " not known.",
            hint=f"ALTER TABLE {table.db_table} DISABLE ROW LEVEL SECURITY; or use a role with"
            " BYPASSRLS.",
        )


def discarded_rows(table: QualifiedName) -> ChangedTable:
    """Return the error for a table that does not change, although no statement fails."""
    return ChangedTable(
        f"{table} does not keep what is written to it: a trigger or a rule of the table discards"
        " rows.",
        hint=f"Drop it (in psql, \\d {table.db_table} shows it), and run the command again.",
    )


def _column_problems(
    table: QualifiedName, kind: Kind, found: Mapping[str, str]
) -> Iterator[ChangedTable]:
    for name, types in COLUMNS[kind].items():
        # The server quotes some of them, where its quote_all_identifiers is on.
        type_name = found.get(name, "").replace('"', "")
        if name not in found:
            yield ChangedTable(
                f'{table} lacks the column "{name}" ({types[0]}), with which domain_migrations has'
                " made it.",
                hint=PUT_BACK,
            )
        elif type_name not in types:
            yield ChangedTable(
                f'The column "{name}" of {table} has the type {type_name} instead of {types[0]}.',
                hint=PUT_BACK,
            )
