"""References in the text of functions."""

from __future__ import annotations

import pytest

from domain_migrations.api.verify.function_bodies import may_reference, referenced_names

HR = frozenset({"hr"})

# Text → the names of hr's objects in it.
PROCEDURAL = {
    "BEGIN INSERT INTO inventory.x SELECT * FROM hr.a ON CONFLICT DO NOTHING; END": "a",
    "BEGIN UPDATE inventory.x SET a=b.c FROM hr.b WHERE true; DELETE FROM hr.c; END": "b c",
    (
        "<<outer>> DECLARE c CURSOR FOR SELECT * FROM hr.d; BEGIN OPEN c FOR SELECT *"
        " FROM hr.e; END"
    ): "d e",
    (
        "BEGIN MERGE INTO inventory.x USING hr.f ON true WHEN MATCHED THEN DELETE WHEN"
        " NOT MATCHED THEN INSERT VALUES (1); END"
    ): "f",
    (
        "BEGIN a := b + (SELECT max(x) FROM hr.g); a = hr.h(1); NEW.z = (SELECT 1 FROM hr.h2); END"
    ): "g h h2",
    "BEGIN RETURN QUERY EXECUTE 'SELECT * FROM hr.i WHERE id = $1' USING 1; END": "i",
    ("BEGIN EXECUTE 'TRUNCATE ' || 'hr.j'; EXECUTE $q$ INSERT INTO hr.k VALUES (1) $q$; END"): "k",
    (
        "BEGIN FOR r IN EXECUTE 'select 1 from hr.l' LOOP END LOOP; FOREACH x IN ARRAY"
        " hr.m() LOOP END LOOP; END"
    ): "l m",
    "BEGIN CASE x WHEN 1 THEN PERFORM hr.n(); ELSE DELETE FROM hr.o; END CASE; END": "n o",
    (
        "BEGIN RETURN hr.p(); EXCEPTION WHEN OTHERS THEN INSERT INTO hr.q VALUES (1); RAISE; END"
    ): "p q",
    (
        "BEGIN LOCK TABLE hr.r IN SHARE MODE; REFRESH MATERIALIZED VIEW hr.s; ALTER TABLE"
        " hr.t ADD x int; DROP TABLE IF EXISTS hr.u; END"
    ): "r s t u",
    (
        "BEGIN CREATE TEMP TABLE z AS SELECT * FROM hr.v; GET DIAGNOSTICS n = ROW_COUNT;"
        " IF TG_TABLE_SCHEMA = 'hr' THEN NULL; END IF; END"
    ): "v",
    (
        "BEGIN IF (SELECT hr.w(1)) OR x IN (SELECT id FROM hr.w2) THEN END IF; WHILE"
        " EXISTS(SELECT 1 FROM hr.w3) LOOP END LOOP; EXIT WHEN hr.w4(); ASSERT hr.w5();"
        " END"
    ): "w w2 w3 w4 w5",
    (
        "BEGIN NOTIFY x; RAISE EXCEPTION 'from hr.no %', hr.aa(1) USING HINT = 'see hr.no'; END"
    ): "aa",
}
SQL = {
    (
        "WITH a AS (SELECT * FROM hr.bb) SELECT * FROM a LEFT JOIN LATERAL (SELECT 1 FROM"
        " hr.cc) c ON true"
    ): "bb cc",
    (
        "SELECT x::hr.dd, CAST(y AS hr.ee), 'hr.ff'::regclass,"
        " nextval('hr.gg'::regclass), pg_get_serial_sequence('hr.no','id')"
    ): "dd ee ff gg",
    'SELECT * FROM HR.Hh, "hr"."Ii", ONLY hr.jj, hr.kk AS k TABLESAMPLE SYSTEM (1)': "hh Ii jj kk",
    (
        "SELECT EXTRACT(year FROM hr.x), substring(hr.a FROM hr.b) FROM inventory.staff"
        " hr WHERE a IS DISTINCT FROM hr.c"
    ): "",
    "SELECT (hr).name, hr.* FROM inventory.a hr": "",
    (
        "INSERT INTO hr.ll (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.a"
        " RETURNING hr.x"
    ): "ll",
    "SELECT jsonb_path_query(a, '$.hr.x') FROM b; SELECT $1.hr": "",
}


@pytest.mark.parametrize("text", PROCEDURAL)
def test_names_in_plpgsql(text: str):
    assert referenced_names(text, HR, procedural=True) == {
        ("hr", name) for name in PROCEDURAL[text].split()
    }


@pytest.mark.parametrize("text", SQL)
def test_names_in_sql(text: str):
    assert referenced_names(text, HR, procedural=False) == {
        ("hr", name) for name in SQL[text].split()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1 FROM hr.a", True),
        ('SELECT 1 FROM "hr" . "a"', True),
        ("SELECT 1 FROM HR.a", True),
        ("SELECT hrs.a, chr.b, 'hr' FROM c", False),
    ],
)
def test_a_mention_is_a_schema_followed_by_a_dot(text: str, expected: bool):
    assert may_reference(text, HR) is expected


def test_without_other_schemas_nothing_is_mentioned():
    assert not may_reference("SELECT 1 FROM hr.a", frozenset())
