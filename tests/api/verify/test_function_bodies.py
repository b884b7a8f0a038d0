"""References in the text of functions."""

from __future__ import annotations

import pytest

from domain_migrations.api.verify.textual_names import (
    may_reference,
    read_body,
    referenced_names,
)

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
    (
        "BEGIN EXECUTE 'TRUNCATE ' || 'hr.j'; EXECUTE $q$ INSERT INTO hr.k VALUES (1) $q$; END"
    ): "j k",
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
    "BEGIN LOCK TABLE inventory.x, hr.ba IN SHARE MODE; LOCK hr.bb; END": "ba bb",
    (
        "BEGIN MERGE INTO inventory.x AS x USING inventory.y JOIN hr.bc ON true ON x.id = bc.id"
        " WHEN NOT MATCHED BY SOURCE THEN DELETE; GRANT SELECT ON inventory.x, hr.bd TO u; END"
    ): "bc bd",
    "BEGIN v := 'SELECT 1 FROM hr.be'; EXECUTE v; EXECUTE 'DELETE FROM ' || 'hr.' || t; END": (
        "be placeholder"
    ),
    "BEGIN EXECUTE format('SELECT 1 FROM %I.%I, %2$s.bf', 'hr', 'bg', 'x'); END": "bg",
    "BEGIN EXECUTE format('UPDATE %s SET a = %L', 'hr.bh', 'hr.no'); END": "bh",
    (
        "BEGIN EXECUTE 'DO $x$ BEGIN DELETE FROM hr.bi; END $x$'; DO 'BEGIN PERFORM hr.bj();"
        " END'; END"
    ): "bi bj",
    (
        "BEGIN EXECUTE $a$ CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $b$ BEGIN"
        " RETURN (SELECT 1 FROM hr.bk); END $b$ $a$; END"
    ): "bk",
    (
        "BEGIN n := pg_get_serial_sequence('hr.bl', 'id'); PERFORM nextval(('hr.bm')::text);"
        " x := CAST('hr.bn' AS regclass); x := ('hr.bt'::text)::regclass; y := regclass 'hr.bo';"
        " z := has_table_privilege('u', 'hr.bp', 'SELECT'); t := 'hr.no';"
        " RETURN query_to_xml('SELECT * FROM hr.bq', a, b); END"
    ): "bl bm bn bo bp bq bt",
    (
        "DECLARE hr record; BEGIN LOCK TABLE hr.br; IF hr.no THEN SELECT 1 INTO hr.no FROM"
        " hr.bs; END IF; END"
    ): "br bs",
    (
        r"""BEGIN DELETE FROM U&"h\0072".ca; TRUNCATE U&"h!+000072" UESCAPE '!' . cb;"""
        r""" EXECUTE E'DELETE\nFROM \x68\162.cc'; EXECUTE U&'TABLE \0068r.cd';"""
        r""" EXECUTE E'TABLE \u0068r.' || 'cx'; PERFORM nextval(E'\U00000068r.ce'); END"""
    ): "ca cb cc cd ce cx",
    (
        "BEGIN EXECUTE 'DELETE FROM h'\n-- and\n'r.cf'; EXECUTE concat('TABLE ', 'hr', '.cg');"
        " EXECUTE concat_ws('.', 'TABLE hr', 'ch'); EXECUTE replace('TABLE X.ci', 'X', 'hr');"
        " EXECUTE 'TABLE ' || quote_ident('hr') || '.' || quote_ident('Cj'); END"
    ): "cf cg ch ci Cj",
    (
        "DECLARE a regclass := 'hr.ck'; BEGIN"
        " x := ('hr' || '.cl')::regclass; y := '{hr.cm,\"\\\"hr\\\".cn\"}'"
        "::regclass[]; z := format('%I.%I', 'hr', 'co')::text::regclass;"
        " t := to_regclass('h'||'r.cp');"
        " CALL autoinc('id', 'hr.cq'); PERFORM regclass('hr.cr'); END"
    ): "ck cl cm cn co cp cq cr",
    (
        "BEGIN PERFORM * FROM shop.hr.cs; x := a OPERATOR(hr.+) b; PERFORM EXTRACT(year FROM"
        " inventory.hr.no); PERFORM query_to_xml('SELECT * ' || 'FROM hr.ct', true, false, ''); END"
    ): "+ cs ct",
    (
        "BEGIN CREATE TRIGGER t AFTER UPDATE ON a WHEN (NEW.x <> 'hr.no')"
        " EXECUTE FUNCTION f('hr.no');"
        " INSERT INTO log VALUES ('hr.no', E'\\'hr.no\\'');"
        " PERFORM pg_notify('hr.no', 'hr.no'); END"
    ): "",
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
        " nextval('hr.gg'::regclass), pg_get_serial_sequence('hr.ss','id')"
    ): "dd ee ff gg ss",
    'SELECT * FROM HR.Hh, "hr"."Ii", ONLY hr.jj, hr.kk AS k TABLESAMPLE SYSTEM (1)': "hh Ii jj kk",
    (
        "SELECT EXTRACT(year FROM hr.x), substring(hr.a FROM hr.b) FROM inventory.staff"
        " hr WHERE a IS DISTINCT FROM hr.c"
    ): "",
    "SELECT (hr).name, hr.* FROM inventory.a hr": "",
    (
        "INSERT INTO hr.ll (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.a"
        " RETURNING ll.x"
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


@pytest.mark.parametrize(
    "text",
    [
        "SET LOCAL search_path TO inventory, hr",
        "SET search_path = 'hr'",
        'SET SESSION search_path TO "hr", public',
        "SET SCHEMA 'hr'",
        "PERFORM set_config('search_path', 'inventory, hr', true)",
        "PERFORM pg_catalog.set_config('search_path', 'x,' || 'hr', true)",
        "PERFORM set_config(setting_name => 'search_path', new_value => 'hr', is_local => true)",
        "EXECUTE 'SET LOCAL search_path = hr'",
        "EXECUTE format('SET search_path TO %I', 'hr')",
        "PERFORM set_config('search' || '_path', 'hr', false)",
        "PERFORM set_config(new_value => 'hr', is_local => true, setting_name => 'search_path')",
        r"SET search_path = E'\x68r'",
        "UPDATE pg_settings SET setting = 'hr' WHERE name = 'search_path'",
        "EXECUTE 'ALTER FUNCTION inventory.f() SET search_path TO hr'",
    ],
)
def test_a_search_path_that_is_set_in_the_text(text: str):
    found = read_body(f"BEGIN {text}; END", HR, procedural=True)
    assert (found.search_path, found.names, found.is_computed) == ({"hr"}, set(), False)


@pytest.mark.parametrize(
    ("text", "is_computed"),
    [
        ("EXECUTE statement", True),
        ("EXECUTE 'DELETE FROM ' || quote_ident(t)", True),
        ("EXECUTE format('DELETE FROM %I', t)", True),
        ("EXECUTE format('DELETE FROM inventory.x WHERE id = %L', id)", False),
        ("EXECUTE 'DELETE FROM inventory.x WHERE id = $1' USING hr.id", False),
        ("PERFORM set_config('search_path', old, true)", True),
        ("GRANT EXECUTE ON FUNCTION f() TO u", False),
        ("PERFORM query_to_xml(statement, true, false, '')", True),
        ("PERFORM query_to_xml('SELECT 1', nulls, false, '')", False),
        ("EXECUTE 'DELETE FROM inventory.x WHERE id = ' || quote_literal(id)", False),
    ],
)
def test_sql_that_is_computed_is_named_as_unread(text: str, is_computed: bool):
    found = read_body(f"DECLARE hr record; BEGIN {text}; END", HR, procedural=True)
    assert (found.names, found.is_computed) == (set(), is_computed)


@pytest.mark.parametrize(
    "text",
    [
        "DROP SCHEMA IF EXISTS hr CASCADE",
        "DROP SCHEMA inventory, hr",
        "GRANT SELECT ON ALL TABLES IN SCHEMA inventory, hr TO u",
        "PERFORM schema_to_xml('hr', true, false, '')",
        "PERFORM 'hr'::regnamespace",
    ],
)
def test_a_schema_by_itself_is_named(text: str):
    assert read_body(f"BEGIN {text}; END", HR, procedural=True).names == {("hr", "")}


def test_a_column_called_schema_is_not_followed_by_schemas():
    assert referenced_names("SELECT t.schema, hr FROM t", HR, procedural=False) == set()


def test_arguments_that_the_database_takes_as_names():
    arguments = {"count_rows": {(1, 0)}, "to_tsvector": {(2, 0)}}
    text = "SELECT count_rows('hr.a'), count_rows('hr.b', 1), to_tsvector('hr.c'), f('hr.d')"
    text += ", to_tsvector('hr.e', 'hr.f')"
    found = read_body(text, HR, procedural=False, arguments=arguments)
    assert found.names == {("hr", "a"), ("hr", "e")}


def test_a_name_that_may_be_a_variable_in_a_statement_that_cannot_be_parsed_is_unread():
    text = "DECLARE hr record; BEGIN IF x THEN FROBNICATE (hr.id) OVER hr.name; END IF; END"
    found = read_body(text, HR, procedural=True)
    assert found.names == set()
    assert found.unparsed == [] or found.unparsed == ["FROBNICATE (hr.id) OVER hr.name"]


def test_without_other_schemas_nothing_is_mentioned():
    assert not may_reference("SELECT 1 FROM hr.a", frozenset())
