"""The comparison of the rows of both sides, nearly all of it before the pause.

Each table is divided by its key into chunks, whose counts and checksums are compared while writers
write. From then on the changed rows are known by their keys, so the pause has to compare only them,
and the chunks that were never found equal because too much was written to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.sessions.connection import fetch_all, fetch_one
from .changed_rows import ChangedRows, Key
from .row_checksums import Checksum, hashed_columns

KEYS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum),
    array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE n.nspname = %s AND c.relkind = 'r' AND k.place <= i.indnkeyatts
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
GROUP BY c.relname
"""
LIMITS = "SELECT min({key})::text, max({key})::text FROM ONLY {table}"
SUMS = """
SELECT {chunk}, count(*), coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0)::text
FROM ONLY {table} AS t WHERE {wanted} GROUP BY 1
"""
OF_KEYS = """
({keys}) IN (SELECT {casts} FROM unnest({arrays}) AS k ({names}))
"""
INTEGERS = ("smallint", "integer", "bigint")
CHUNK = 1024
MOST_CHUNKS = 2000
ROUNDS = 5

Chunks = dict[int, Checksum]


class ComparedTable(NamedTuple):
    """A table and how it is divided.

    Attributes:
        key, types: the columns of the replica identity in the table's order, as changes have them;
            none where it is the whole row.
        bounds: the first key of each chunk but the first, as text.
    """

    name: QualifiedName
    columns: sql.Composable
    key: tuple[str, ...]
    types: tuple[str, ...]
    bounds: tuple[str, ...]

    def chunk(self) -> sql.Composable:
        """Return the expression for the number of a row's chunk."""
        if not self.bounds:
            return sql.SQL("0")
        return sql.SQL("width_bucket(t.{}, {}::{}[])").format(
            sql.Identifier(self.key[0]),
            sql.Literal(list(self.bounds)),
            sql.SQL(self.types[0]),
        )

    def in_chunks(self, chunks: Sequence[int]) -> sql.Composable:
        """Return the condition on rows of these chunks, by ranges of the key."""
        if not self.bounds:
            return sql.SQL("TRUE")
        column = sql.Identifier(self.key[0])
        ranges = []
        for number in chunks:
            parts: list[sql.Composable] = [sql.SQL("TRUE")]
            if number > 0:
                parts.append(sql.SQL("t.{} >= {}").format(column, self.bounds[number - 1]))
            if number < len(self.bounds):
                parts.append(sql.SQL("t.{} < {}").format(column, self.bounds[number]))
            ranges.append(sql.SQL("({})").format(sql.SQL(" AND ").join(parts)))
        return sql.SQL(" OR ").join(ranges)

    def of_keys(self, keys: Sequence[Key]) -> sql.Composable:
        """Return the condition on rows with these keys."""
        names = [sql.Identifier(f"k{number}") for number in range(len(self.key))]
        comma = sql.SQL(", ")
        return sql.SQL(OF_KEYS).format(
            keys=comma.join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in self.key),
            casts=comma.join(
                sql.SQL("{}::{}").format(name, sql.SQL(kind))
                for name, kind in zip(names, self.types, strict=True)
            ),
            arrays=comma.join(
                sql.SQL("{}::text[]").format(sql.Literal(list(values)))
                for values in zip(*keys, strict=True)
            ),
            names=comma.join(names),
        )

    def sums(self, wanted: sql.Composable, number: int | None = None) -> sql.Composed:
        """Return the query of the checksums of some rows.

        Arguments:
            number: of the only chunk that all of them count as; else each chunk has its own.
        """
        return sql.SQL(SUMS).format(
            chunk=self.chunk() if number is None else sql.Literal(number),
            columns=self.columns,
            table=sql.Identifier(*self.name),
            wanted=wanted,
        )


class RowComparison:
    """Compares the rows of both sides.

    Arguments:
        source, target: sessions of their own, with the settings of ``prepare_session``.
        publication: of the source's tables.
        uncompared: tables that differ on purpose.

    Attributes:
        rows: how many rows were compared.
    """

    def __init__(
        self,
        source: BaseDatabaseWrapper,
        target: BaseDatabaseWrapper,
        schema: str,
        publication: str,
        uncompared: frozenset[QualifiedName] = frozenset(),
    ) -> None:
        self.sessions = source, target
        self.changed = ChangedRows(source, publication)
        self.tables = [
            table for table in read_compared(source, schema) if table.name not in uncompared
        ]
        self.unequal: dict[QualifiedName, set[int]] = {}
        self.rows = 0

    def before(self, report: Callable[[str], None]) -> None:
        """Compare everything once, and again what differs because it is being written to."""
        for table in self.tables:
            one, other = self._both(table.sums(sql.SQL("TRUE")))
            self.rows += sum(each.rows for each in one.values())
            differing = _differing(one, other)
            for _ in range(ROUNDS):
                if not differing or not table.bounds:
                    break
                one, other = self._both(table.sums(table.in_chunks(sorted(differing))))
                differing = _differing(one, other)
            self.unequal[table.name] = differing
        self.changed.read()
        left = sum(map(len, self.unequal.values()))
        report(f"{self.rows} rows are compared; {left} parts are left for the pause.")

    def during(self) -> list[str]:
        """Compare what is left, now that nobody writes; return the tables that differ."""
        self.changed.read()
        left = [
            (table, condition) for table in self.tables for condition in self._conditions(table)
        ]
        if not left:
            return []
        queries = [table.sums(condition, number) for number, (table, condition) in enumerate(left)]
        one, other = self._both(sql.SQL(" UNION ALL ").join(queries))
        found: dict[str, str] = {}
        for number, (table, _) in enumerate(left):
            if words := _words(one.get(number), other.get(number)):
                found.setdefault(str(table.name), words)
        return [f"{table} ({words})" for table, words in found.items()]

    def refresh(self) -> None:
        """Read what was changed so far, so that less is left for the pause."""
        self.changed.read()

    def _conditions(self, table: ComparedTable) -> Iterator[sql.Composable]:
        """Yield the conditions on the rows of a table that are not known to be equal."""
        keys = self.changed.keys.get(table.name, set())
        unequal = self.unequal[table.name]
        is_whole = bool(unequal) and not table.bounds
        if is_whole or (keys and not table.key) or table.name in self.changed.truncated:
            yield sql.SQL("TRUE")
            return
        if unequal:
            yield table.in_chunks(sorted(unequal))
        if keys:
            yield table.of_keys(sorted(keys, key=str))

    def _both(self, query: sql.Composed) -> tuple[Chunks, Chunks]:
        """Return the checksums of both sides, read at the same time."""
        with ThreadPoolExecutor(2) as pool:
            one, other = (pool.submit(_read, session, query) for session in self.sessions)
            return one.result(), other.result()


def _read(session: BaseDatabaseWrapper, query: sql.Composed) -> Chunks:
    # Not by Django's cursors, which belong to the thread that made the connection.
    with session.wrap_database_errors:
        rows = session.connection.execute(query).fetchall()
    return {chunk: Checksum(count, total) for chunk, count, total in rows}


def _differing(one: Chunks, other: Chunks) -> set[int]:
    return {chunk for chunk in one.keys() | other.keys() if one.get(chunk) != other.get(chunk)}


def _words(one: Checksum | None, other: Checksum | None) -> str:
    """Return how two checksums differ; without any row, there is none."""
    first, second = one or Checksum(0, "0"), other or Checksum(0, "0")
    if first == second:
        return ""
    if first.rows == second.rows:
        return "other rows"
    return "missing rows" if first.rows > second.rows else "additional rows"


def read_compared(connection: BaseDatabaseWrapper, schema: str) -> list[ComparedTable]:
    """Return the tables of a schema that store rows, divided by their keys."""
    keys = {
        name: (tuple(key), tuple(types))
        for name, key, types in fetch_all(connection, KEYS, [schema])
    }
    found = []
    for name, columns in hashed_columns(connection, schema).items():
        key, types = keys.get(name.name, ((), ()))
        bounds: tuple[str, ...] = ()
        if len(key) == 1:
            bounds = _bounds(connection, name, key[0], types[0])
        found.append(ComparedTable(name, sql.SQL(", ").join(columns), key, types, bounds))
    return found


def _bounds(
    connection: BaseDatabaseWrapper, table: QualifiedName, key: str, kind: str
) -> tuple[str, ...]:
    if kind == "uuid":
        return tuple(f"{number:02x}000000-0000-0000-0000-000000000000" for number in range(1, 256))
    if kind not in INTEGERS:
        return ()
    query = sql.SQL(LIMITS).format(key=sql.Identifier(key), table=sql.Identifier(*table))
    lowest, highest = fetch_one(connection, query)
    if lowest is None:
        return ()
    low, high = int(lowest), int(highest)
    step = max(CHUNK, (high - low) // MOST_CHUNKS + 1)
    return tuple(str(bound) for bound in range(low + step, high + 1, step))
