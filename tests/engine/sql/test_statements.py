from __future__ import annotations

import pytest

from domain_migrations.engine.snapshots.normalise import normalise, strip_array_casts
from domain_migrations.engine.sql.statements import split, tokens

WHOLE = [
    "SELECT 1;",
    "SELECT 'a;b', 'it''s;', E'\\';', \"a;\"\"b\", $$;$$, $x$ ;$$; $x$, U&';';",
    "SELECT a$b$c, $1; ",
    "SELECT /* ; /* ; */ ; */ 1 -- ; '\n, 2;",
    "CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM a; DELETE FROM b;);",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql\nBEGIN ATOMIC\n SELECT CASE WHEN true THEN"
    " CASE 1 WHEN 2 THEN ';' END END;\n SELECT 1;\nEND;",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'BEGIN ATOMIC; it''s;';",
    'CREATE TABLE begin_case ("begin" int, atomic int CHECK (atomic > CASE WHEN true THEN 1 END));',
    "CREATE FUNCTION f(x text DEFAULT 'begin;') RETURNS int LANGUAGE plpgsql AS $_$begin; end$_$;",
]


@pytest.mark.parametrize("statement", WHOLE)
def test_a_statement_stays_whole(statement: str) -> None:
    assert split(statement) == [statement.strip()]
    assert split(f"SELECT 0;\n{statement}\n\nSELECT 9;") == [
        "SELECT 0;",
        statement.strip(),
        "SELECT 9;",
    ]
    assert "".join(part for _, part in tokens(statement)) == statement


def test_what_stands_between_statements_goes() -> None:
    text = "--\n-- A dump; of\n--\n\n\\restrict aB1\n\nSELECT 1; ;\n/* ; */\n\\unrestrict aB1\n\n"
    assert split(text) == ["SELECT 1;"]


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT ';", "SELECT $$;", "SELECT (1;", 'SELECT ";'])
def test_a_text_that_ends_inside_of_a_statement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"It ends inside of a statement: SEL|never closed: "):
        split(text)


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
        "CREATE TABLE shop.t (a int NOT NULL, b text DEFAULT 'CONSTRAINT x NOT NULL',\n"
        '    CONSTRAINT "not" CHECK (a IS NOT NULL), c int NOT NULL);',
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
