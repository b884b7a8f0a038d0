"""Names of moved tables, types and functions in the text of functions."""

from __future__ import annotations

import pytest

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.runner.adoption.function_text import FunctionText, Renamed, Uncertain


def moved(kind: str, name: str, new: str | None = None) -> Renamed:
    old, to = QualifiedName("public", name), QualifiedName("lab", new or name)
    return Renamed(kind, old, to)  # type: ignore[arg-type]


NAMES = [
    moved("relation", "lab_sample"),
    moved("relation", "lab_sample_id_seq"),
    moved("relation", "lab_tag", "tags"),
    moved("type", "mood"),
    moved("function", "lab_touch"),
]


def replaced(body: str, *, finds_unqualified: bool = True) -> str:
    text = FunctionText(body, NAMES, finds_unqualified)
    result = text.replaced()
    assert text.uncertain == []
    return result


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("SELECT count(*) FROM lab_sample", "SELECT count(*) FROM lab.lab_sample"),
        ("SELECT 1 FROM PUBLIC.Lab_Sample", "SELECT 1 FROM lab.lab_sample"),
        ('SELECT 1 FROM "public"."lab_sample"', "SELECT 1 FROM lab.lab_sample"),
        (
            "SELECT lab_sample.id FROM lab_sample WHERE lab_sample.id = 1",
            "SELECT lab_sample.id FROM lab.lab_sample WHERE lab_sample.id = 1",
        ),
        (
            "SELECT 1 FROM a, lab_sample s JOIN lab_sample ON true",
            "SELECT 1 FROM a, lab.lab_sample s JOIN lab.lab_sample ON true",
        ),
        ("SELECT 1 FROM ONLY lab_sample", "SELECT 1 FROM ONLY lab.lab_sample"),
        ("INSERT INTO lab_sample (id) VALUES (1)", "INSERT INTO lab.lab_sample (id) VALUES (1)"),
        ("UPDATE lab_sample SET id = 1", "UPDATE lab.lab_sample SET id = 1"),
        ("DELETE FROM x USING lab_sample", "DELETE FROM x USING lab.lab_sample"),
        ("TRUNCATE TABLE x, lab_sample", "TRUNCATE TABLE x, lab.lab_sample"),
        ("MERGE INTO lab_sample t USING x ON true", "MERGE INTO lab.lab_sample t USING x ON true"),
        # Columns and variables keep their names.
        ("SELECT lab_sample FROM x", "SELECT lab_sample FROM x"),
        ("SELECT x.lab_sample FROM x", "SELECT x.lab_sample FROM x"),
        ("SELECT a IS DISTINCT FROM lab_sample", "SELECT a IS DISTINCT FROM lab_sample"),
        ("SELECT extract(day FROM lab_sample)", "SELECT extract(day FROM lab_sample)"),
        ("SELECT other.lab_sample.x FROM other.lab_sample", None),
        ("SELECT 1 INTO lab_sample", "SELECT 1 INTO lab_sample"),
        ("SELECT 1 FROM x FOR UPDATE OF lab_sample", "SELECT 1 FROM x FOR UPDATE OF lab_sample"),
        ("-- FROM lab_sample\nSELECT 1 /* FROM lab_sample */", None),
        ("SELECT to_jsonb(lab_sample) FROM x", None),
        # A new name needs the old one as an alias.
        (
            "SELECT lab_tag.id FROM lab_tag WHERE lab_tag.id = 1",
            "SELECT lab_tag.id FROM lab.tags AS lab_tag WHERE lab_tag.id = 1",
        ),
        ("SELECT t.id FROM lab_tag t", "SELECT t.id FROM lab.tags t"),
        ("SELECT t.id FROM lab_tag AS t", "SELECT t.id FROM lab.tags AS t"),
        ("INSERT INTO lab_tag VALUES (1)", "INSERT INTO lab.tags VALUES (1)"),
        # Types.
        (
            "DECLARE r lab_sample; n lab_sample.id%TYPE; t lab_sample%ROWTYPE; BEGIN END",
            "DECLARE r lab.lab_sample; n lab.lab_sample.id%TYPE; t lab.lab_sample%ROWTYPE;"
            " BEGIN END",
        ),
        ("SELECT 'ok'::mood, CAST(x AS mood)", "SELECT 'ok'::lab.mood, CAST(x AS lab.mood)"),
        ("SELECT x AS mood, mood FROM y", "SELECT x AS mood, mood FROM y"),
        # Functions.
        ("SELECT lab_touch(1), public.lab_touch(2)", "SELECT lab.lab_touch(1), lab.lab_touch(2)"),
        # Names in strings.
        ("SELECT nextval('lab_sample_id_seq')", "SELECT nextval('lab.lab_sample_id_seq')"),
        (
            "SELECT nextval('public.lab_sample_id_seq'::regclass)",
            "SELECT nextval('lab.lab_sample_id_seq'::regclass)",
        ),
        ("SELECT 'lab_sample'::regclass", "SELECT 'lab.lab_sample'::regclass"),
        ("INSERT INTO log VALUES ('lab_sample')", "INSERT INTO log VALUES ('lab_sample')"),
        (
            "BEGIN EXECUTE 'DELETE FROM lab_sample WHERE code = ''x''' USING 'lab'; END",
            "BEGIN EXECUTE 'DELETE FROM lab.lab_sample WHERE code = ''x''' USING 'lab'; END",
        ),
        (
            "BEGIN EXECUTE format($q$SELECT %s FROM lab_sample$q$, 'id'); END",
            "BEGIN EXECUTE format($q$SELECT %s FROM lab.lab_sample$q$, 'id'); END",
        ),
        (
            "BEGIN IF TG_TABLE_NAME = 'lab_sample' THEN EXECUTE x; END IF; END",
            "BEGIN IF TG_TABLE_NAME = 'lab_sample' THEN EXECUTE x; END IF; END",
        ),
    ],
)
def test_names_are_replaced_where_that_is_certain(body: str, expected: str | None) -> None:
    assert replaced(body) == (body if expected is None else expected)


def test_only_qualified_names_count_where_the_search_path_has_another_schema() -> None:
    body = "SELECT 1 FROM lab_sample, public.lab_sample"
    expected = "SELECT 1 FROM lab_sample, lab.lab_sample"
    assert replaced(body, finds_unqualified=False) == expected


@pytest.mark.parametrize(
    "line",
    [
        "WITH lab_sample AS (SELECT 1) SELECT * FROM lab_sample;",
        "WITH x AS (SELECT 1), lab_sample AS (SELECT 1) SELECT 1;",
        "EXECUTE 'SELECT 1 FROM ' || quote_ident('lab_sample');",
        "EXECUTE format('SELECT 1 FROM %I', 'lab_sample');",
        "t := 'lab_sample'; EXECUTE 'SELECT 1 FROM ' || t;",
        "CREATE TEMP TABLE lab_sample (id int);",
        "SELECT mood 'happy';",
        "IF TG_TABLE_NAME = 'lab_tag' THEN RETURN NEW; END IF;",
    ],
)
def test_what_is_not_certain_is_reported_with_its_line(line: str) -> None:
    text = FunctionText(f"BEGIN\n  {line}\nEND", NAMES, finds_unqualified=True)
    text.replaced()
    assert Uncertain(2, line) in text.uncertain
