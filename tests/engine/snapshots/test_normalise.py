"""The statements of a dump that a snapshot keeps."""

from __future__ import annotations

from domain_migrations.engine.snapshots.dump_entries import parse_entries
from domain_migrations.engine.snapshots.pg_dump import normalise, strip_array_casts


def test_settings_the_schema_and_untouched_sequences_are_left_out() -> None:
    dump = """
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA shop;
SET default_tablespace = '';
CREATE TABLE shop.t (a int CONSTRAINT a_not_null NOT NULL, b text DEFAULT 'CONSTRAINT x NOT NULL',
    CONSTRAINT "not" CHECK (a IS NOT NULL), c int CONSTRAINT "Odd ""name" NOT NULL);
INSERT INTO shop.t (a) VALUES (10);
INSERT INTO shop.t (a) VALUES (9);
INSERT INTO shop.s (a) VALUES (1);
SELECT pg_catalog.setval('shop.t_id_seq', 1, false);
SELECT pg_catalog.setval('shop."It''s"', 7, false);
SELECT pg_catalog.setval('shop.used', 1, true);
SELECT pg_catalog.setval('shop.moved', 1000, false);
"""
    starts = {"shop.t_id_seq": 1, 'shop."It\'s"': 7, "shop.used": 1, "shop.moved": 1}
    assert normalise(dump, starts) == (
        "CREATE TABLE shop.t (a int CONSTRAINT a_not_null NOT NULL, b text DEFAULT 'CONSTRAINT x"
        " NOT NULL',\n"
        '    CONSTRAINT "not" CHECK (a IS NOT NULL), c int CONSTRAINT "Odd ""name" NOT NULL);',
        "INSERT INTO shop.t (a) VALUES (9);",
        "INSERT INTO shop.t (a) VALUES (10);",
        "INSERT INTO shop.s (a) VALUES (1);",
        "SELECT pg_catalog.setval('shop.used', 1, true);",
        "SELECT pg_catalog.setval('shop.moved', 1000, false);",
    )


def test_a_cast_around_the_array_of_a_list_goes() -> None:
    before = (
        "CHECK (((a)::text = ANY ((ARRAY['x)'::character varying, 'y'::varchar])::text[]))"
        " AND ((b)::text <> ALL ((ARRAY['z'::character varying])::text[])) AND"
        " (c = ANY (ARRAY[1, 2])) AND ((ARRAY['q'::character varying])::text[] = d)"
        " AND '= ANY ((ARRAY[1])::text[])' = e)"
    )
    assert strip_array_casts(before) == (
        "CHECK (((a)::text = ANY (ARRAY['x)'::character varying, 'y'::varchar]))"
        " AND ((b)::text <> ALL (ARRAY['z'::character varying])) AND"
        " (c = ANY (ARRAY[1, 2])) AND ((ARRAY['q'::character varying])::text[] = d)"
        " AND '= ANY ((ARRAY[1])::text[])' = e)"
    )


def test_marks_that_a_server_puts_on_columns_are_left_out() -> None:
    (entry,) = parse_entries(
        """
-- Name: t; Type: TABLE; Schema: shop; Owner: -
--

CREATE TABLE shop.t (
    a integer,
    b text DEFAULT 'pg_attver=1'::text
);
ALTER TABLE ONLY shop.t ALTER COLUMN a SET (pg_attver=181303816);
ALTER TABLE ONLY shop.t ALTER COLUMN b SET (n_distinct=5, pg_attver=181303816);
"""
    )
    table, options = entry.statements
    assert "DEFAULT 'pg_attver=1'" in table
    assert options == "ALTER TABLE ONLY shop.t ALTER COLUMN b SET (n_distinct=5);"
