"""The rows of PostgreSQL's catalogs that a transaction has written.

Locks do not show a new function, type or grant. Rows do: those with our ``xmin``. Catalogs
that stay small are scanned; in those that grow with the number of tables, new rows are found
by the range of new oids, and changed rows are looked for only where the session's own
statistics say that it has updated the catalog.
"""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from .asking import ask, query
from .mark import NEW_OIDS, Condition, Mark, ours

SCHEMA_COLUMNS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("pg_extension", "extnamespace"),
    ("pg_proc", "pronamespace"),
    ("pg_operator", "oprnamespace"),
    ("pg_opclass", "opcnamespace"),
    ("pg_opfamily", "opfnamespace"),
    ("pg_collation", "collnamespace"),
    ("pg_conversion", "connamespace"),
    ("pg_ts_config", "cfgnamespace"),
    ("pg_ts_dict", "dictnamespace"),
    ("pg_ts_parser", "prsnamespace"),
    ("pg_ts_template", "tmplnamespace"),
    ("pg_statistic_ext", "stxnamespace"),
    ("pg_default_acl", "defaclnamespace"),
)
"""Catalogs that stay small and say in which schema an object is."""

NOT_QUIET: LiteralString = " <> ALL(%(quiet)s::oid[])"


def small_catalogs(condition: Condition) -> dict[str, LiteralString]:
    """Return a query for each small catalog: (catalog, oid, schema) of the rows that match."""
    queries: dict[str, LiteralString] = {
        catalog: "SELECT '" + catalog + "'::regclass::oid, x.oid, x." + column + " FROM " + catalog
        + " x WHERE x." + column + NOT_QUIET + " AND " + condition("x")
        for catalog, column in SCHEMA_COLUMNS
    }  # fmt: skip
    queries["pg_namespace"] = (
        "SELECT 'pg_namespace'::regclass::oid, x.oid, x.oid FROM pg_namespace x WHERE "
        + condition("x")
    )
    queries["pg_event_trigger"] = (
        "SELECT 'pg_event_trigger'::regclass::oid, x.oid, 0::oid FROM pg_event_trigger x WHERE "
        + condition("x")
    )
    queries["pg_enum"] = (
        "SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_enum x"
        " JOIN pg_type t ON t.oid = x.enumtypid WHERE t.typnamespace" + NOT_QUIET
        + " AND " + condition("x")
    )  # fmt: skip
    # A domain's; those of tables come with a lock.
    queries["pg_constraint"] = (
        "SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_constraint x"
        " JOIN pg_type t ON t.oid = x.contypid WHERE x.conrelid = 0 AND t.typnamespace"
        + NOT_QUIET + " AND " + condition("x")
    )  # fmt: skip
    queries["pg_publication_namespace"] = (
        "SELECT 'pg_namespace'::regclass::oid, x.pnnspid, x.pnnspid"
        " FROM pg_publication_namespace x WHERE " + condition("x")
    )
    return queries


SELECT_SMALL = small_catalogs(ours)

SELECT_NEW_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM " + NEW_OIDS
    + " JOIN pg_type x ON x.oid > new.low AND x.oid < new.high"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_QUIET
    + " AND " + ours("x")
)  # fmt: skip

SELECT_CHANGED_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_QUIET
    + " AND " + ours("x")
)  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, x.oid, x.relnamespace FROM pg_class x"
    " WHERE x.relnamespace" + NOT_QUIET + " AND " + ours("x")
)

SELECT_CHANGED_COLUMNS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, x.attrelid, c.relnamespace FROM pg_attribute x"
    " JOIN pg_class c ON c.oid = x.attrelid"
    " WHERE c.relnamespace" + NOT_QUIET + " AND " + ours("x")
)


class Written(NamedTuple):
    """An object whose row in a catalog was written, and the schema that it is in."""

    catalog: int
    oid: int
    schema: int


def read_written(
    connection: BaseDatabaseWrapper,
    mark: Mark,
    before: Mark,
    quiet: list[int],
    locked: list[int],
) -> list[Written]:
    """Return what this transaction made or altered outside the quiet schemas.

    Not among it are relations that were made, or that only a lock tells of.

    Arguments:
        locked: the domain's relations that the transaction may have changed.
    """
    parts = [
        statement
        for catalog, statement in SELECT_SMALL.items()
        if mark.inserted(before, [catalog]) or mark.updated(before, [catalog])
    ]
    if mark.inserted(before, ["pg_type"]):
        parts.append(SELECT_NEW_TYPES)
    if mark.updated(before, ["pg_type"]):
        parts.append(SELECT_CHANGED_TYPES)
    if mark.updated(before, ["pg_class"]) and not _explained(connection, mark, before, locked):
        parts.append(SELECT_CHANGED_RELATIONS)
    if mark.updated(before, ["pg_attribute"]):
        parts.append(SELECT_CHANGED_COLUMNS)
    if not parts:
        return []
    params = {**mark.params(before), "quiet": quiet}
    [rows] = query(connection, " UNION ALL ".join(parts), params)
    return [Written(*row) for row in rows]


# A new relation begins without rules, triggers, checks and TOAST table; each takes an update.
SELECT_COUNT_OF_CHANGED: LiteralString = (
    "SELECT count(*) FROM unnest(%(relations)s::oid[]) r (oid), LATERAL ("
    " SELECT xmin, * FROM pg_class WHERE oid = r.oid OFFSET 0) x"
    " WHERE (x.relhasrules OR x.relhastriggers OR x.relchecks > 0 OR x.reltoastrelid <> 0"
    " OR NOT EXISTS (SELECT FROM " + NEW_OIDS + " WHERE x.oid > new.low AND x.oid < new.high))"
    " AND " + ours("x")
)  # fmt: skip


def _explained(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, locked: list[int]
) -> bool:
    """Return whether changes of locked tables are all that was changed in ``pg_class``.

    Each of them took one update at least, so as many updates as tables leave none for others.
    """
    if not (mark.counted and before.counted):
        return False
    params = {**mark.params(before), "relations": sorted(set(locked))}
    [(changed,)] = ask(connection, SELECT_COUNT_OF_CHANGED, params)
    return bool(changed == mark.updates["pg_class"] - before.updates["pg_class"])


VIEW_RULE = '"_RETURN" on '

SELECT_IDENTITY = "SELECT type, identity FROM pg_identify_object(%(catalog)s, %(oid)s, %(column)s)"


def identify(connection: BaseDatabaseWrapper, catalog: int, oid: int, column: int = 0) -> str:
    """Return an object's kind and qualified name, as PostgreSQL writes them.

    The rule that makes a view is told as the view.
    """
    params = {"catalog": catalog, "oid": oid, "column": column}
    [[(kind, identity)]] = query(connection, SELECT_IDENTITY, params)
    if kind == "rule" and identity.startswith(VIEW_RULE):
        return f"view {identity.removeprefix(VIEW_RULE)}"
    return f"{kind} {identity}"
