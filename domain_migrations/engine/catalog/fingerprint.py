"""The fingerprint of a schema: everything ``pg_catalog`` records about it, as text.

Equal text means an equal schema: the text is the same in every run, in every database and on
PostgreSQL 15 to 18. It leaves out rows, sequence values, whether a materialized view is
populated, statistics, oids, file nodes, versions of extensions and collations, and the position
of columns: a column that is dropped and added again can only come last, so reverting a migration
could never restore a position. Composite types and views, which read columns by position, have
the order in their own definitions. No statement can name what is left out, except the constraints
of NOT NULL that PostgreSQL 18 has: their names are added where two states of one server are
compared.

The text has one block for each object: a line with its kind and name, then its definition,
indented. Blocks are sorted by name and then by kind, by code point, so a table is followed by
its columns and constraints whatever the locale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from ...domains import get_domains
from ..sql.query import FORCE_GENERIC_PLAN, RESET_PLAN_MODE, prepared_execute, run_sql
from .expressions import as_read_back, unqualify_single_source, unquote_identifiers
from .queries import DATABASE, NAMES, PRIVILEGES, SECTIONS

INDENT = "    "
EMPTY = "nothing"
LONG_KINDS = (
    "access method",
    "array type",
    "default privileges",
    "event trigger",
    "foreign data wrapper",
    "foreign table",
    "materialized view",
    "operator class",
    "operator family",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
    "window function",
)
"""The kinds of more than one word; any other kind is the first word of a title."""


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """One object of a schema.

    Attributes:
        kind: in lower case: ``table``, ``column``, ``index``, ``function`` …
        name: qualified, ``inventory.drugs.note``; parts are quoted only where they have anything
            but lower-case letters, digits and underscores.
        definition: everything else that was read about it, one property a line.
        relation: the table, view or sequence it belongs to, unquoted and without schema, if any.
    """

    kind: str
    name: str
    definition: str
    relation: str | None = None

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


SETTINGS = {
    "search_path": "",
    "quote_all_identifiers": "off",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "standard_conforming_strings": "on",
    "jit": "off",
}
"""The settings that ``pg_get_…def`` depends on; and jit, which costs more than it saves here."""
SET_LOCALLY = "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(SETTINGS))


@contextmanager
def catalog_cursor(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """Yield a cursor in whose session deparsed text depends on the catalog alone.

    It reads in a transaction, or in a savepoint where one is open, that is rolled back: this
    restores the settings and releases the locks that ``pg_get_viewdef`` takes. No transaction id
    is assigned, so a read-only transaction will do.
    """
    connection.ensure_connection()
    with connection.connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(SET_LOCALLY, [part for pair in SETTINGS.items() for part in pair])
        yield cursor


VIEW_QUERY = "as\n"


def fingerprint(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Collection[str] = (),
    include_privileges: bool = False,
    include_names: bool = False,
) -> str:
    """Return the fingerprint of a schema; an empty text where the schema does not exist.

    Arguments:
        exclude: unquoted names of tables, views or sequences to leave out with their parts.
        include_privileges: add owners and privileges, which name the roles of one server.
        include_names: add the names that only some versions have, of NOT NULL and array types.
    """
    return to_text(
        read_objects(
            connection,
            schema,
            exclude=exclude,
            include_privileges=include_privileges,
            include_names=include_names,
        )
    )


def read_objects(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Collection[str] = (),
    include_privileges: bool = False,
    include_names: bool = False,
    prepared: bool = False,
) -> tuple[CatalogObject, ...]:
    """Return the objects of a schema, sorted as its fingerprint is.

    Arguments:
        prepared: prepare the queries, for a run's own session that reads many schemas: planning
            them takes as long as executing them.
    """
    rows = read_rows(
        connection,
        schema,
        exclude=exclude,
        include_privileges=include_privileges,
        include_names=include_names,
        prepared=prepared,
    )
    return tuple(sorted(starmap(catalog_object, rows), key=attrgetter("name", "kind")))


CatalogRow = tuple[str, str, str | None, list[str]]
"""Kind, qualified name, relation and the lines of the definition, as PostgreSQL writes them."""


def read_rows(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Collection[str] = (),
    include_privileges: bool = False,
    include_names: bool = False,
    prepared: bool = False,
) -> list[CatalogRow]:
    """Return the objects of a schema as SQL would name them; arguments as for `read_objects`."""
    more = ((PRIVILEGES, include_privileges), (NAMES, include_names))
    queries = (*SECTIONS, *(query for query, is_included in more if is_included))
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
    return [row for row in rows if row[2] not in exclude]


def catalog_object(
    kind: str, name: str, relation: str | None, lines: Sequence[str]
) -> CatalogObject:
    """Return an object in the form in which it is the same in every database."""
    definition = "\n".join(
        unqualify_single_source(line) if line.startswith(VIEW_QUERY) else line.rstrip("\n")
        for line in lines
    )
    definition = as_read_back(unquote_identifiers(definition))
    return CatalogObject(kind, unquote_identifiers(name), definition, relation)


SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
"""

DatabaseFingerprint = dict[str, str]
"""Schema → its fingerprint; "" → that of the objects in no schema."""


def database_fingerprint(connection: BaseDatabaseWrapper) -> str:
    """Return the fingerprint of the objects in no schema, such as publications."""
    with catalog_cursor(connection) as cursor:
        cursor.execute(DATABASE, {"schema": ""})
        return to_text(starmap(catalog_object, cursor.fetchall()))


def read_catalog(
    connection: BaseDatabaseWrapper, *, include_names: bool = False
) -> DatabaseFingerprint:
    """Return the fingerprint of each schema, without the tables that the engine itself keeps.

    Arguments:
        include_names: as for :func:`fingerprint`.
    """
    with catalog_cursor(connection) as cursor:
        cursor.execute(SCHEMAS)
        schemas = [name for (name,) in cursor.fetchall()]
    own = {
        domain.schema: [table.name for table in domain.engine_tables] for domain in get_domains()
    }
    found = {
        schema: fingerprint(
            connection, schema, exclude=own.get(schema, ()), include_names=include_names
        )
        for schema in schemas
    }
    return {"": database_fingerprint(connection), **found}


def fingerprint_differences(before: DatabaseFingerprint, after: DatabaseFingerprint) -> list[str]:
    """Return one sentence for each object that differs; [] if the databases are equal."""
    return [
        difference
        for schema in sorted(before.keys() | after.keys())
        for difference in compare(before.get(schema, ""), after.get(schema, ""))
    ]


def to_text(objects: Iterable[CatalogObject]) -> str:
    """Return the fingerprint of the objects, which need not be sorted."""
    ordered = sorted(objects, key=attrgetter("name", "kind", "definition"))
    return "".join(map(_block, ordered))


def parse_text(text: str) -> dict[str, tuple[str, ...]]:
    """Return the blocks of a fingerprint: title → the lines of the definition."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith(INDENT):
            lines.append(line.removeprefix(INDENT))
        elif line:
            lines = blocks.setdefault(line, [])
    return {title: tuple(lines) for title, lines in blocks.items()}


def compare(before: str, after: str) -> list[str]:
    """Return one sentence for each object that differs between two fingerprints; [] if equal.

    ``column inventory.drugs.note: missing`` is in ``before`` only, ``…: added`` in ``after``
    only, and ``… differs: text / character varying(20)`` in both. Parts of a table, view or
    sequence that is itself missing or added are not listed.
    """
    if before == after:
        return []
    old, new = parse_text(before), parse_text(after)
    titles = sorted(old.keys() | new.keys(), key=lambda title: split_title(title)[::-1])
    replaced = {split_title(title)[1] for title in titles if (title in old) != (title in new)}
    return [
        sentence
        for title in titles
        if (sentence := difference(title, old.get(title), new.get(title)))
        and (
            (title in old and title in new)
            or split_title(title)[1].rpartition(".")[0] not in replaced
        )
    ]


def difference(title: str, old: Sequence[str] | None, new: Sequence[str] | None) -> str | None:
    """Return how one object differs, as :func:`compare` says it; None if it does not.

    Arguments:
        old, new: the lines of its definitions; None where it does not exist.
    """
    if old == new:
        return None
    if new is None:
        return f"{title}: missing"
    if old is None:
        return f"{title}: added"
    removed = [line.strip() for line in old if line not in new]
    added = [line.strip() for line in new if line not in old]
    if not removed and not added:
        removed, added = [line.strip() for line in old], [line.strip() for line in new]
    return f"{title} differs: {', '.join(removed) or EMPTY} / {', '.join(added) or EMPTY}"


def _block(item: CatalogObject) -> str:
    title = item.title.replace("\n", "\\n")
    lines = item.definition.replace("\n", f"\n{INDENT}")
    return f"{title}\n{INDENT}{lines}\n" if lines else f"{title}\n"


def split_title(title: str) -> tuple[str, str]:
    """Return the kind and the name."""
    kind = next((kind for kind in LONG_KINDS if title.startswith(f"{kind} ")), title.split(" ")[0])
    return kind, title[len(kind) + 1 :]
