"""Objects that a transfer moves to another schema: the tables, and what belongs to them alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import CORE_SCHEMA, QualifiedName
from ....exceptions import InvalidConfiguration
from ...messages import shortened
from ...sessions.connection import fetch_all
from ..adoption.functions import SELECT_FUNCTIONS
from ..adoption.objects import (
    PG_CLASS,
    PG_PROC,
    PG_TYPE,
    SELECT_CANDIDATES,
    SELECT_STATISTICS,
    SELECT_TABLES,
    Candidate,
    MovedObject,
    exclusive_followers,
)
from .taken_names import check_names_are_free

SELECT_VIEWS = """
SELECT DISTINCT v.oid, CASE v.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
    n.nspname, v.relname
FROM pg_depend d
JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
JOIN pg_class v ON v.oid = w.ev_class
JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%s) AND v.oid <> d.refobjid
    AND v.relkind IN ('v', 'm')
ORDER BY 3, 4
"""
"""The views that read tables; they go on to read them wherever those are."""

SELECT_PARTS = """
SELECT 'pg_class'::regclass::bigint, indexrelid::bigint FROM pg_index
WHERE indrelid = ANY(%(oids)s)
UNION ALL
SELECT 'pg_class'::regclass::bigint, s.oid::bigint FROM pg_depend d
JOIN pg_class s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid AND s.relkind = 'S'
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%(oids)s)
    AND d.deptype IN ('a', 'i')
UNION ALL
SELECT 'pg_type'::regclass::bigint, t.oid::bigint FROM pg_type t
WHERE t.typrelid = ANY(%(oids)s) OR t.typelem = ANY(%(types)s)
    OR EXISTS (SELECT FROM pg_type r WHERE r.oid = t.typelem AND r.typrelid = ANY(%(oids)s))
"""
"""The indexes, owned sequences, row types and arrays that go along with relations and types."""

Follower = tuple[str, str]
"""An object that moves with the tables: its kind, and how a statement names it in its schema."""


class ReadingView(NamedTuple):
    """A view, or a materialized one, that reads a relation."""

    oid: int
    kind: str
    name: QualifiedName


class TransferredObjects(NamedTuple):
    """What a transfer moves, tables first, and what it leaves that the tables need.

    Attributes:
        left: the types, functions and sequences of the old schema that others use, too.
    """

    moved: tuple[MovedObject, ...]
    left: tuple[MovedObject, ...]

    @property
    def tables(self) -> list[MovedObject]:
        return [item for item in self.moved if item.kind.endswith("TABLE")]

    @property
    def followers(self) -> list[Follower]:
        """The types, functions and sequences that move with the tables."""
        kinds = ("TABLE", "STATISTICS")
        return [(item.kind, item.identity) for item in self.moved if not item.kind.endswith(kinds)]


def keys_of(
    connection: BaseDatabaseWrapper, found: TransferredObjects
) -> frozenset[tuple[int, int]]:
    """Return the catalog and the oid of all that moves, parts included."""
    relations = [item.oid for item in found.moved if item.is_relation]
    types = [item.oid for item in found.moved if item.kind in ("TYPE", "DOMAIN")]
    functions = [item.oid for item in found.moved if item.kind in ("FUNCTION", "PROCEDURE")]
    parts = fetch_all(connection, SELECT_PARTS, {"oids": relations, "types": types})
    return frozenset(
        [
            *((PG_CLASS, oid) for oid in relations),
            *((PG_TYPE, oid) for oid in types),
            *((PG_PROC, oid) for oid in functions),
            *parts,
        ]
    )


def find_objects(
    connection: BaseDatabaseWrapper,
    tables: Mapping[QualifiedName, QualifiedName],
    source: str,
    target: str,
    *,
    only: Collection[Follower] | None = None,
    free: Collection[QualifiedName] = (),
) -> TransferredObjects:
    """Return what moves from one schema to another.

    Arguments:
        tables: the tables by name → their new names.
        only: the followers that may move, where tables move back; any unless given.
        free: names in the new schema that nothing has by the time when the tables move.

    Raises:
        InvalidConfiguration: a table does not exist, or a name is taken in the new schema.
    """
    names = {old.name: new for old, new in tables.items()}

    def moved(oid: int, kind: str, name: str, identity: str) -> MovedObject:
        new = names.get(name) if kind.endswith("TABLE") else None
        old = QualifiedName(source, name)
        return MovedObject(oid, kind, old, new or QualifiedName(target, name), identity)

    params = {"schema": source, "names": list(names)}
    found = [moved(*row) for row in fetch_all(connection, SELECT_TABLES, params)]
    oids = [item.oid for item in found]
    candidates = {
        f"{catalog} {oid}": Candidate(
            f"{catalog} {oid}", moved(oid, kind, name, identity), frozenset(users), frozenset(used)
        )
        for catalog, oid, kind, name, identity, users, used in fetch_all(
            connection, SELECT_CANDIDATES, {"schema": source, "named": []}
        )
        if not kind.endswith("VIEW")
    }
    wanted = candidates
    if only is not None:
        kept = {tuple(each) for each in only}
        wanted = {
            key: item
            for key, item in candidates.items()
            if (item.moved.kind, item.moved.identity) in kept
        }
    followers = exclusive_followers(wanted, {}, oids)
    statistics = [
        moved(*row)
        for row in fetch_all(connection, SELECT_STATISTICS, {"schema": source, "relations": oids})
    ]
    result = TransferredObjects(
        (*found, *followers, *statistics), tuple(_left(candidates, oids, followers))
    )
    _check_present(tables, result)
    check_names_are_free(connection, result.moved, source, target, free)
    return result


def _left(
    candidates: Mapping[str, Candidate], tables: Iterable[int], followers: Sequence[MovedObject]
) -> list[MovedObject]:
    users = {f"{PG_CLASS} {oid}" for oid in tables}
    return [
        item.moved
        for item in candidates.values()
        if item.users & users and item.moved not in followers
    ]


def _check_present(
    tables: Mapping[QualifiedName, QualifiedName], found: TransferredObjects
) -> None:
    present = {item.old for item in found.tables}
    if missing := [old for old in tables if old not in present]:
        raise InvalidConfiguration(
            f"{shortened(missing)} cannot be moved:"
            f" {'it does' if len(missing) == 1 else 'they do'} not exist.",
            hint="Restore what the history says is there, or correct the names under tables in"
            " both migrations. Nothing was changed.",
        )


def functions_naming(connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]) -> list[str]:
    """Return the functions whose text may name one of the tables, which PostgreSQL leaves as it is.

    A name without a schema may be one of core's tables only.
    """
    words = "|".join(
        rf"\m{_escaped(table.name)}\M"
        if table.schema == CORE_SCHEMA
        else rf'\m{_escaped(table.schema)}"?\s*\.\s*"?{_escaped(table.name)}\M'
        for table in tables
    )
    rows = fetch_all(connection, SELECT_FUNCTIONS, {"words": words})
    return [identity for _, identity, *_ in rows]


def _escaped(name: str) -> str:
    """Return a name as a regular expression of PostgreSQL."""
    return "".join(char if char.isalnum() or char == "_" else f"\\{char}" for char in name)


def views_over(connection: BaseDatabaseWrapper, relations: Iterable[int]) -> list[ReadingView]:
    """Return the views that read one of the relations, given by their oids."""
    rows = fetch_all(connection, SELECT_VIEWS, [list(relations)])
    return [ReadingView(oid, kind, QualifiedName(*name)) for oid, kind, *name in rows]


def all_views_over(connection: BaseDatabaseWrapper, relation: int) -> list[ReadingView]:
    """Return the views that read a relation, also through others, in the order to drop them."""
    found: dict[int, ReadingView] = {}
    for view in views_over(connection, [relation]):
        for each in (*all_views_over(connection, view.oid), view):
            found.setdefault(each.oid, each)
    return list(found.values())
