"""Deparsed text in one spelling for all versions of PostgreSQL."""

from __future__ import annotations

import pytest

from domain_migrations.engine.catalog.expressions import (
    lower_extracted_fields,
    unqualify_single_source,
    unquote_identifiers,
    without_double_parentheses,
    without_implied_names,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('("json" IS NULL)', "(json IS NULL)"),
        ('lab."Odd name"', 'lab."Odd name"'),
        ("""'a "json" b'::text""", """'a "json" b'::text"""),
        ("""E'it''s "x"' || "y\"""", """E'it''s "x"' || y"""),
        ('AS $function$ SELECT "json" $function$', 'AS $function$ SELECT "json" $function$'),
        ('$$"a"$$ "a"', '$$"a"$$ a'),
        ('"a""b"', '"a""b"'),
        ("nothing to do", "nothing to do"),
    ],
)
def test_identifiers_lose_quotes_that_only_some_versions_write(text: str, expected: str):
    assert unquote_identifiers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EXTRACT(YEAR FROM now())", "EXTRACT(year FROM now())"),
        ("'EXTRACT(YEAR FROM x)' || (A)", "'EXTRACT(YEAR FROM x)' || (A)"),
        ("SELECT EXTRACT", "SELECT EXTRACT"),
    ],
)
def test_fields_of_extract_are_in_lower_case(text: str, expected: str):
    assert lower_extracted_fields(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 'x'::text AS text,", "SELECT 'x'::text,"),
        ("NULL::integer AS int4\n FROM", "NULL::integer\n FROM"),
        ("NULL::character varying(10)[] AS varchar)", "NULL::character varying(10)[])"),
        ("'a'::timestamp(3) without time zone AS timestamp", "'a'::timestamp(3) without time zone"),
        ('\'a\'::lab."Kind"[] AS "Kind"', "'a'::lab.\"Kind\"[]"),
        ("'a'::lab.kind AS kind, b AS c", "'a'::lab.kind, b AS c"),
        ("'x'::text AS name", "'x'::text AS name"),
        ("'x'::text || b AS text", "'x'::text || b AS text"),
        ("f('x'::text) AS text", "f('x'::text) AS text"),
        ("(a)::text AS text", "(a)::text AS text"),
        ("$$NULL::text AS text$$", "$$NULL::text AS text$$"),
        ("NULL::", "NULL::"),
    ],
)
def test_names_that_constants_get_from_their_types_are_left_out(text: str, expected: str):
    assert without_implied_names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(((lab.f())))::int", "(lab.f())::int"),
        ("lab.f((a, b))", "lab.f((a, b))"),
        ("((a) + (b))", "((a) + (b))"),
        ("'((a))' || ((')'))", "'((a))' || (')')"),
        ("((a", "((a"),
    ],
)
def test_parentheses_are_not_doubled(text: str, expected: str):
    assert without_double_parentheses(text) == expected


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("SELECT item.id FROM lab.item;", "SELECT id FROM lab.item;"),
        (
            "SELECT i.id FROM lab.item i WHERE (i.n > 1);",
            "SELECT id FROM lab.item i WHERE (n > 1);",
        ),
        ('SELECT "A b".id FROM lab.item "A b";', 'SELECT id FROM lab.item "A b";'),
        ("SELECT (item.price).amount FROM lab.item;", "SELECT (price).amount FROM lab.item;"),
        (
            "SELECT item.i FROM lab.item WHERE (EXISTS ( SELECT 1 FROM x WHERE (x.a = item.a)));",
            "SELECT i FROM lab.item WHERE (EXISTS ( SELECT 1 FROM x WHERE (x.a = item.a)));",
        ),
        (
            "WITH x AS ( SELECT a.b FROM a) SELECT x.b FROM x;",
            "WITH x AS ( SELECT a.b FROM a) SELECT b FROM x;",
        ),
        (
            "SELECT s.id FROM ( SELECT item.id FROM lab.item) s;",
            "SELECT id FROM ( SELECT item.id FROM lab.item) s;",
        ),
        (
            "SELECT g.n FROM generate_series(1, 3) g(n);",
            "SELECT n FROM generate_series(1, 3) g(n);",
        ),
    ],
)
def test_a_single_source_is_not_named(older: str, newer: str):
    assert unqualify_single_source(older) == unqualify_single_source(newer)


@pytest.mark.parametrize(
    "definition",
    [
        "SELECT a.id FROM lab.a, lab.b WHERE (a.id = b.id);",
        "SELECT a.id FROM (lab.a JOIN lab.b ON ((a.id = b.id)));",
        "SELECT a.id FROM lab.a UNION ALL SELECT b.id FROM lab.b;",
        "SELECT 1 AS one;",
        "VALUES (1,'a.b');",
        "SELECT a.*::lab.a AS a FROM lab.a;",
    ],
)
def test_expressions_equal_in_all_versions_are_unchanged(definition: str):
    assert unqualify_single_source(definition) == definition
