"""The catalog fingerprint of a schema: everything ``pg_catalog`` says about it, as text.

Equal text means an equal schema: the text is the same in every run, in every database and on
PostgreSQL 15 to 18. What is not in it, because it is no part of a schema's definition: rows,
the current value of sequences, whether a materialized view is filled, statistics, oids, file
nodes, versions of extensions and collations, and the position of columns. A column that is
dropped and added again can only come last, so an undo could never restore a position; what
reads columns by position (composite types, views) has their order in its own definition.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import get_domains
from ..sql.query import FORCE_GENERIC_PLAN, RESET_PLAN_MODE, prepared_execute, run_sql
from .cursor import catalog_cursor
from .deparse import unqualify_single_source, unquote_identifiers
from .objects import CatalogObject, compare_texts, to_text
from .queries import PRIVILEGES, SECTIONS

VIEW_QUERY = "as\n"


def fingerprint(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Collection[str] = (),
    include_privileges: bool = False,
) -> str:
    """Return the canonical text of a schema; an empty text when there is no such schema.

    Arguments:
        exclude: tables, views or sequences to leave out with all that belongs to them, by their
            unquoted names without the schema.
        include_privileges: add owners and privileges, which name the roles of one server.
    """
    return to_text(
        read_objects(connection, schema, exclude=exclude, include_privileges=include_privileges)
    )


def compare(before: str, after: str) -> list[str]:
    """Return what differs between two fingerprints, a sentence for each object; [] if equal.

    ``column inventory.drugs.note: missing`` is in ``before`` only, ``…: added`` in ``after``
    only, and ``… differs: text / character varying(20)`` in both.
    """
    return compare_texts(before, after)


def read_objects(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Collection[str] = (),
    include_privileges: bool = False,
    prepared: bool = False,
) -> tuple[CatalogObject, ...]:
    """Return the objects of a schema that ``fingerprint`` prints, sorted as it prints them.

    Arguments:
        prepared: the session is a run's own and asks of many schemas: to plan the queries takes
            it as long as to answer them.
    """
    queries = (*SECTIONS, PRIVILEGES) if include_privileges else SECTIONS
    values, rows = {"schema": schema}, []
    with catalog_cursor(connection) as cursor:
        if prepared:
            executions = ";".join(prepared_execute(connection, text) for text in queries)
            answers = run_sql(connection, FORCE_GENERIC_PLAN + executions + RESET_PLAN_MODE, values)
            rows = [row for answer in answers for row in answer]
        else:
            for text in queries:
                cursor.execute(text, values)
                rows += cursor.fetchall()
    objects = (_object(*row) for row in rows if row[2] not in exclude)
    return tuple(sorted(objects, key=lambda item: (item.name, item.kind)))


def _object(kind: str, name: str, relation: str | None, lines: Sequence[str]) -> CatalogObject:
    definition = "\n".join(
        unqualify_single_source(line) if line.startswith(VIEW_QUERY) else line.rstrip("\n")
        for line in lines
    )
    return CatalogObject(kind, unquote_identifiers(name), unquote_identifiers(definition), relation)


SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
"""

DatabaseFingerprint = dict[str, str]
"""Schema → fingerprint, of every schema of a database."""


def read_catalog(connection: BaseDatabaseWrapper) -> DatabaseFingerprint:
    """Return what the catalogs say of each schema; an undo keeps the engine's own tables."""
    with catalog_cursor(connection) as cursor:
        cursor.execute(SCHEMAS)
        schemas = [name for (name,) in cursor.fetchall()]
    own = {
        domain.schema: [table.name for table in domain.engine_tables] for domain in get_domains()
    }
    return {
        schema: fingerprint(connection, schema, exclude=own.get(schema, ())) for schema in schemas
    }


def fingerprint_differences(before: DatabaseFingerprint, after: DatabaseFingerprint) -> list[str]:
    """Return what differs, a clause for each object; [] if nothing does."""
    return [
        difference
        for schema in sorted(before.keys() | after.keys())
        for difference in compare(before.get(schema, ""), after.get(schema, ""))
    ]
