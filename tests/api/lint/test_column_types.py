"""What a change of a column's type does to its table, compared with the server."""

from __future__ import annotations

from itertools import permutations

from domain_migrations.api.lint.column_types import ColumnType, conversion
from tests.support.catalog import execute, query

TYPES = (
    *("integer", "bigint", "oid", "regclass", "numeric", "numeric(8, 2)"),
    *("decimal(12,2)", "numeric(12,4)", "numeric(12)", "numeric(12,-2)"),
    *("varchar", "varchar(20)", "character varying(50)", "char(20)", "char", "bpchar", "text"),
    *('"char"', "timestamp", "timestamp(3) without time zone", "timestamptz"),
    *("timestamp(3) with time zone", "time", "time(3)", "timetz", "interval", "interval(3)"),
    *("interval day to second", "interval year", "xml"),
    *("inet", "cidr", "bit(8)", "bit", "bit varying(8)", "bit varying(16)", "varbit", "text[]"),
    *("varchar(20)[]", "varchar(50)[]", "varchar[]"),
)
COMPARE = """
CREATE FUNCTION pg_temp.conversion(old text, new text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE before oid[]; behind oid[]; nodes text := 'SELECT ARRAY[pg_relation_filenode(''lint_t''),
    pg_relation_filenode(to_regclass(''lint_i''))]'; found text;
BEGIN
    BEGIN
        EXECUTE 'CREATE TABLE lint_t (a ' || old || ')';
        IF old NOT IN ('xml') THEN CREATE INDEX lint_i ON lint_t (a); END IF;
        EXECUTE nodes INTO before;
        BEGIN
            EXECUTE 'ALTER TABLE lint_t ALTER a TYPE ' || new;
        EXCEPTION WHEN datatype_mismatch THEN
            EXECUTE format('ALTER TABLE lint_t ALTER a TYPE %s USING a::%s', new, new);
        END;
        EXECUTE nodes INTO behind;
        found := CASE WHEN before[1] <> behind[1] THEN 'rewritten'
            WHEN before[2] <> behind[2] THEN 'indexes' ELSE 'kept' END;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN cannot_coerce OR undefined_object OR datatype_mismatch THEN
        found := NULL;
    WHEN SQLSTATE 'ZZ001' THEN
        NULL;
    END;
    RETURN found;
END $$
"""


def test_every_conversion_is_what_the_server_does(module_database: str) -> None:
    """The server tells by the file of the table and of its index."""
    execute("SET TIME ZONE 'UTC'")
    execute(COMPARE)
    pairs = list(permutations(TYPES, 2))
    rows = query(
        "SELECT old, new, pg_temp.conversion(old, new)"
        " FROM unnest(%s::text[], %s::text[]) AS pair (old, new)",
        [old for old, _ in pairs],
        [new for _, new in pairs],
    )
    possible = [(old, new, found) for old, new, found in rows if found]
    assert len(possible) > len(pairs) / 3
    wrong = [
        (old, new, found)
        for old, new, found in possible
        if conversion(ColumnType.of(old), ColumnType.of(new)) != found
    ]
    assert wrong == []


def test_what_is_no_type_has_a_meaning_too() -> None:
    assert ColumnType.of("interval of nothing") == ColumnType.of("interval")


def test_time_zones_convert_rows_outside_of_utc() -> None:
    old, new = ColumnType.of("timestamp"), ColumnType.of("timestamptz")
    assert conversion(old, new, in_utc=False) == "rewritten"
