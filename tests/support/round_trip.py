"""Round trips of the sample domains' histories: to zero and back, with rows in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connection

from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from tests.support.catalog import execute, query
from tests.support.commands import Result

Call = Callable[..., Result]

RELATIONS = """
SELECT relname FROM pg_class
WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'v') ORDER BY 1
"""


def migrate(call: Call, domain: str, *target: str) -> None:
    result = call("migrate_domain", domain, *target)
    assert result.exit_status == 0, result.stdout + result.stderr


def assert_zero_and_back_gives_the_same_catalog(
    call: Call, domain: str, *, left: Sequence[str], others: Sequence[str], schema: str = ""
) -> None:
    """At zero nothing but `left` is there, and the other schemas never change."""
    schema = schema or domain
    before = fingerprint(connection, schema)
    catalogs = {other: fingerprint(connection, other) for other in others}
    migrate(call, domain, "zero")
    assert [name for (name,) in query(RELATIONS, schema)] == list(left)
    for other, catalog in catalogs.items():
        assert compare(catalog, fingerprint(connection, other)) == []
    migrate(call, domain)
    assert compare(before, fingerprint(connection, schema)) == []
    for other, catalog in catalogs.items():
        assert compare(catalog, fingerprint(connection, other)) == []


def assert_filled_and_emptied_again(
    call: Call,
    domain: str,
    *,
    between: tuple[str, str],
    table: str,
    columns: tuple[str, str],
    rows: Sequence[str],
    number: int,
    kept: tuple[str, str],
) -> None:
    """A data migration fills one column from another where it is empty, and empties it again.

    Arguments:
        between: the target below the data migration, and the migration.
        columns: what is filled from, and what is filled.
        rows: the text after the table's name in INSERT, with `number` rows to fill and one to keep.
        kept: the code and the value of the row to keep.
    """
    below, target = between
    source, filled = columns
    code, value = kept

    def assert_rows(condition: str) -> None:
        assert query(f"SELECT count(*) FROM {table} WHERE {condition}") == [(number,)]
        assert query(f"SELECT {filled} FROM {table} WHERE code = '{code}'") == [(value,)]

    migrate(call, domain, below)
    for row in rows:
        execute(f"INSERT INTO {table} {row}")
    migrate(call, domain, target)
    assert_rows(f"{filled} = {source}")
    migrate(call, domain)
    migrate(call, domain, below)
    assert_rows(f"{filled} = ''")
