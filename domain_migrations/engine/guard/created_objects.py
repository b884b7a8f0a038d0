"""The objects that the custom SQL of a migration created, as ``verify_domain`` names them.

No model manages them and, where the SQL is computed, no file has their names. So the journal
records them: each as the number of its finding in ``catalog.drift_ids`` and its qualified name.
"""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql.query import run_sql
from .transaction import LAST_OID, NEW_OIDS, WRITTEN_HERE, WRITTEN_SINCE, TransactionPoint

IS_NEW: LiteralString = (
    "EXISTS (SELECT FROM " + NEW_OIDS + " WHERE x.oid > new.low AND x.oid < new.high)"
)
OWN: LiteralString = " = ANY(%(own)s::oid[])"
ON_OWN_TABLE: LiteralString = "pg_class c WHERE c.relnamespace" + OWN + " AND c.oid = "
COLUMN: LiteralString = "x.attrelid::regclass || '.' || quote_ident(x.attname)"

SOURCES: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("'108'", "x.oid::regprocedure::text", "pg_proc x WHERE x.pronamespace" + OWN),
    ("'108'", "x.tgrelid::regclass || '.' || quote_ident(x.tgname)",
     "pg_trigger x, " + ON_OWN_TABLE + "x.tgrelid AND NOT x.tgisinternal"),
    ("'108'", "x.polrelid::regclass || '.' || quote_ident(x.polname)",
     "pg_policy x, " + ON_OWN_TABLE + "x.polrelid"),
    ("'108'", "x.ev_class::regclass || CASE x.rulename WHEN '_RETURN' THEN ''"
     " ELSE '.' || quote_ident(x.rulename) END", "pg_rewrite x, " + ON_OWN_TABLE + "x.ev_class"),
    ("'108'", "x.oid::regtype::text",
     "pg_type x WHERE x.typnamespace" + OWN + " AND x.typcategory <> 'A' AND (x.typrelid = 0"
     " OR EXISTS (SELECT FROM pg_class c WHERE c.oid = x.typrelid AND c.relkind = 'c'))"),
    ("CASE WHEN x.relkind IN ('r', 'p') THEN '101' WHEN x.relkind IN ('i', 'I') THEN '105'"
     " ELSE '108' END", "x.oid::regclass::text",
     "pg_class x WHERE x.relnamespace" + OWN + " AND x.relkind NOT IN ('c', 't') AND " + IS_NEW),
    ("'108'", "x.oid::regoperator::text", "pg_operator x WHERE x.oprnamespace" + OWN),
    ("'108'", "x.opfnamespace::regnamespace || '.' || quote_ident(x.opfname) || ' using '"
     " || quote_ident(m.amname)",
     "pg_opfamily x JOIN pg_am m ON m.oid = x.opfmethod WHERE x.opfnamespace" + OWN),
    ("'108'", "x.opcnamespace::regnamespace || '.' || quote_ident(x.opcname) || ' using '"
     " || quote_ident(m.amname)",
     "pg_opclass x JOIN pg_am m ON m.oid = x.opcmethod WHERE x.opcnamespace" + OWN),
    ("'108'", "x.oid::regcollation::text", "pg_collation x WHERE x.collnamespace" + OWN),
    ("'108'", "x.oid::regconfig::text", "pg_ts_config x WHERE x.cfgnamespace" + OWN),
    ("'108'", "x.oid::regdictionary::text", "pg_ts_dict x WHERE x.dictnamespace" + OWN),
    ("'108'", "x.prsnamespace::regnamespace || '.' || quote_ident(x.prsname)",
     "pg_ts_parser x WHERE x.prsnamespace" + OWN),
    ("'108'", "x.tmplnamespace::regnamespace || '.' || quote_ident(x.tmplname)",
     "pg_ts_template x WHERE x.tmplnamespace" + OWN),
    ("'108'", "x.connamespace::regnamespace || '.' || quote_ident(x.conname)",
     "pg_conversion x WHERE x.connamespace" + OWN),
    ("'108'", "x.stxnamespace::regnamespace || '.' || quote_ident(x.stxname)",
     "pg_statistic_ext x WHERE x.stxnamespace" + OWN),
    ("'108'", "x.castsource::regtype || ' as ' || x.casttarget::regtype",
     "pg_cast x JOIN pg_type s ON s.oid = x.castsource JOIN pg_type t ON t.oid = x.casttarget"
     " WHERE (s.typnamespace" + OWN + " OR t.typnamespace" + OWN + ")"),
    ("'107'", "x.oid::regclass::text",
     "pg_class x WHERE x.relnamespace" + OWN
     + " AND (x.reloptions IS NOT NULL OR x.relrowsecurity OR x.relforcerowsecurity"
     " OR x.relreplident <> 'd')"),
    ("'107'", "x.indrelid::regclass::text",
     "pg_index x, " + ON_OWN_TABLE + "x.indrelid AND x.indisclustered"),
    ("'107'", "x.inhrelid::regclass::text", "pg_inherits x, " + ON_OWN_TABLE + "x.inhrelid"),
    ("'107'", COLUMN,
     "pg_attribute x JOIN pg_type t ON t.oid = x.atttypid, " + ON_OWN_TABLE + "x.attrelid"
     " AND x.attnum > 0 AND (x.attoptions IS NOT NULL OR coalesce(x.attstattarget::int, -1) <> -1"
     " OR x.attcompression <> '' OR x.attstorage <> t.typstorage)"),
    ("'106'", "x.objoid::regclass || coalesce('.' || (SELECT quote_ident(a.attname)"
     " FROM pg_attribute a WHERE a.attrelid = x.objoid AND a.attnum = x.objsubid"
     " AND x.objsubid > 0), '')",
     "pg_description x, " + ON_OWN_TABLE + "x.objoid AND x.classoid = 'pg_class'::regclass"),
    ("'104'", "x.conrelid::regclass || '.' || quote_ident(x.conname)",
     "pg_constraint x, " + ON_OWN_TABLE + "x.conrelid AND " + IS_NEW),
    ("'103'", "x.adrelid::regclass || '.' || (SELECT quote_ident(a.attname) FROM pg_attribute a"
     " WHERE a.attrelid = x.adrelid AND a.attnum = x.adnum)",
     "pg_attrdef x, " + ON_OWN_TABLE + "x.adrelid"),
    ("'102'", COLUMN,
     "pg_attribute x, " + ON_OWN_TABLE + "x.attrelid AND c.relkind IN ('r', 'p')"
     " AND x.attnum > 0 AND NOT x.attisdropped"),
)  # fmt: skip
"""Of each catalog: the number, the name, and what follows FROM; the rarest objects come first."""

# The names are those of a session whose search path is empty, as the fingerprint's are.
EMPTY_PATH: LiteralString = (
    "SELECT set_config('domain_migrations.path', current_setting('search_path'), true),"
    " set_config('search_path', '', true); "
)
RESET_PATH: LiteralString = (
    "; SELECT set_config('search_path', current_setting('domain_migrations.path'), true)"
)


def _query(written: LiteralString) -> LiteralString:
    parts: list[LiteralString] = [
        "SELECT " + number + " || ' ' || " + name + " AS found FROM " + source + " AND " + written
        for number, name, source in SOURCES
    ]
    return EMPTY_PATH + "; ".join(parts) + RESET_PATH


IN_TRANSACTION, SINCE = _query(WRITTEN_HERE), _query(WRITTEN_SINCE)

MAX_OBJECTS, MAX_LENGTH = 500, 40_000
"""The limits of what a journal's row records; it says how many objects are left out."""


class Start(NamedTuple):
    """The point where a migration without a transaction began, as the journal keeps it."""

    xid: int
    next_oid: int

    @classmethod
    def of(cls, value: Any) -> Start | None:
        """Return the point that a journal's row has, None if it has none."""
        match value:
            case [int(xid), int(next_oid)]:
                return cls(xid, next_oid)
        return None


def created_in_transaction(
    connection: BaseDatabaseWrapper, own: list[int], before: TransactionPoint, now: TransactionPoint
) -> list[str]:
    """Return the objects in some schemas that this transaction created or replaced."""
    return _run(connection, IN_TRANSACTION, {"own": own, **now.params(before)})


def created_since(connection: BaseDatabaseWrapper, own: list[int], start: Start) -> list[str]:
    """Return the objects in some schemas that are newer than a point, whoever created them."""
    params = {"own": own, "xid": start.xid, "lows": [start.next_oid], "highs": [LAST_OID]}
    return _run(connection, SINCE, params)


def _run(
    connection: BaseDatabaseWrapper, statement: LiteralString, params: Mapping[str, Any]
) -> list[str]:
    _, *found, _ = run_sql(connection, statement, params)
    return list(dict.fromkeys(name for rows in found for (name,) in sorted(rows) if name))


def bounded(created: list[str]) -> dict[str, Any]:
    """Return the details of a journal's row for the objects, ``{}`` for none."""
    kept, length = created[:MAX_OBJECTS], 0
    for position, name in enumerate(kept):
        length += len(name)
        if length > MAX_LENGTH:
            kept = kept[:position]
            break
    more = {"created_more": len(created) - len(kept)} if len(kept) < len(created) else {}
    return {"created": kept, **more} if created else {}
