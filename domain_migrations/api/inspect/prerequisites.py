"""The objects of other schemas that a schema uses, and those of them that a database lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE_SCHEMA
from ...engine.sessions.connection import fetch_all, fetch_one

# Starts from the objects of other schemas, which are few where a database has this schema only.
SELECT_USED = """
WITH own AS MATERIALIZED (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s
), mine AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid AS class, oid, relname::text AS name FROM pg_class
        WHERE relnamespace IN (TABLE own) AND relname <> ALL (%(exclude)s)
    UNION ALL SELECT 'pg_proc'::regclass, oid, proname FROM pg_proc
        WHERE pronamespace IN (TABLE own)
    UNION ALL SELECT 'pg_type'::regclass, oid, typname FROM pg_type
        WHERE typnamespace IN (TABLE own)
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprname FROM pg_operator
        WHERE oprnamespace IN (TABLE own)
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcname FROM pg_opclass
        WHERE opcnamespace IN (TABLE own)
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgname FROM pg_ts_config
        WHERE cfgnamespace IN (TABLE own)
), part AS MATERIALIZED (
    TABLE mine
    UNION ALL SELECT 'pg_attrdef'::regclass, x.oid, mine.name FROM mine
        JOIN pg_attrdef x ON mine.class = 'pg_class'::regclass AND x.adrelid = mine.oid
    UNION ALL SELECT 'pg_constraint'::regclass, x.oid, x.conname FROM pg_constraint x
        JOIN mine ON (mine.class = 'pg_class'::regclass AND x.conrelid = mine.oid)
            OR (mine.class = 'pg_type'::regclass AND x.contypid = mine.oid)
    UNION ALL SELECT 'pg_rewrite'::regclass, x.oid, mine.name FROM mine
        JOIN pg_rewrite x ON mine.class = 'pg_class'::regclass AND x.ev_class = mine.oid
    UNION ALL SELECT 'pg_trigger'::regclass, x.oid, x.tgname FROM mine
        JOIN pg_trigger x ON mine.class = 'pg_class'::regclass AND x.tgrelid = mine.oid
            AND NOT x.tgisinternal
    UNION ALL SELECT 'pg_policy'::regclass, x.oid, x.polname FROM mine
        JOIN pg_policy x ON mine.class = 'pg_class'::regclass AND x.polrelid = mine.oid
), used AS MATERIALIZED (
    SELECT d.refclassid AS class, d.refobjid AS oid, min(part.name) AS user
    FROM pg_depend d JOIN part ON part.class = d.classid AND part.oid = d.objid
    WHERE d.refobjid >= 16384 AND d.deptype NOT IN ('e', 'x')
        AND d.refclassid <> 'pg_namespace'::regclass
        AND NOT EXISTS (SELECT FROM part p WHERE p.class = d.refclassid AND p.oid = d.refobjid)
    GROUP BY 1, 2
)
SELECT DISTINCT ON (kind, identity) kind, schema, identity, names, args, uses
FROM (
    SELECT CASE WHEN e.oid IS NULL THEN i.type ELSE 'extension' END AS kind,
        coalesce(n.nspname, i.schema) AS schema,
        coalesce(quote_ident(e.extname), i.identity) AS identity,
        CASE WHEN e.oid IS NULL THEN a.object_names ELSE ARRAY[e.extname::text] END AS names,
        CASE WHEN e.oid IS NULL THEN a.object_args ELSE '{}' END AS args,
        used.user AS uses
    FROM used
    LEFT JOIN pg_depend m ON m.classid = used.class AND m.objid = used.oid AND m.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = m.refobjid
        OR (used.class = 'pg_extension'::regclass AND e.oid = used.oid)
    LEFT JOIN pg_namespace n ON n.oid = e.extnamespace,
    LATERAL pg_identify_object(used.class, used.oid, 0) i,
    LATERAL pg_identify_object_as_address(used.class, used.oid, 0) a
) found
WHERE schema IS NULL OR schema NOT IN (%(schema)s, 'pg_catalog', 'information_schema')
    AND schema !~ '^pg_(toast|temp)'
ORDER BY kind, identity
"""

EXISTS = "SELECT count(*) FROM pg_catalog.pg_get_object_address(%s, %s, %s)"


class Prerequisite(NamedTuple):
    """An object of another schema.

    Attributes:
        kind: as ``pg_identify_object`` calls it: ``table``, ``function``, ``extension`` …
        schema: None for an object without a schema, such as a server.
        name: qualified and quoted where necessary; of an extension, its own.
        address: arguments of ``pg_get_object_address``.
        used_by: an object of the schema that uses it.
    """

    kind: str
    schema: str | None
    name: str
    address: tuple[list[str], list[str]]
    used_by: str

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def remedy(self) -> str:
        """What to do where a new database lacks the object, as a sentence."""
        if self.kind == "extension":
            return (
                "Let a migration of core create it, with CreateExtension of"
                " django.contrib.postgres.operations."
            )
        if self.schema in (CORE_SCHEMA, None):
            return "Let a migration of core create it, or move it into the schema."
        return (
            f"A domain uses nothing of another schema: move it into the schema or to core,"
            f" or remove what uses it ({self.used_by})."
        )


def read_prerequisites(
    connection: BaseDatabaseWrapper, schema: str, *, exclude: Iterable[str] = ()
) -> tuple[Prerequisite, ...]:
    """Return what a schema's objects depend on outside of it, as the catalog has recorded it.

    Arguments:
        exclude: relations of the schema that do not count.
    """
    values = {"schema": schema, "exclude": list(exclude)}
    return tuple(
        Prerequisite(kind, place, name, (names, args), user)
        for kind, place, name, names, args, user in fetch_all(connection, SELECT_USED, values)
    )


def missing_in(
    connection: BaseDatabaseWrapper, wanted: Iterable[Prerequisite]
) -> Iterator[Prerequisite]:
    """Yield those of the objects that a database lacks."""
    for item in wanted:
        try:
            with transaction.atomic(using=connection.alias):
                fetch_one(connection, EXISTS, [item.kind, *item.address])
        except Error:
            yield item
