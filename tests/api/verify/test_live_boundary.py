"""Cross-domain references and leftovers in a live database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from domain_migrations.api.verify import function_bodies
from domain_migrations.api.verify.leftovers import leftover_findings
from domain_migrations.api.verify.live_boundary import boundary_findings
from domain_migrations.domains import get_domain, get_domains
from domain_migrations.engine.messages import Finding
from tests.api.verify.crossing_cases import CORE_USES, CROSSINGS, USES
from tests.engine.guard.helpers import lay_out
from tests.support.catalog import execute, query

NAMES = ["core", "inventory", "hr", "finance"]

SAME = "CREATE FUNCTION hr.same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2'"
LEGACY = Finding(
    "B002",
    "boundary",
    "hr",
    "hr.legacy",
    'The view hr.legacy uses the table inventory.legacy, which belongs to the domain "inventory".',
    f"{USES} Remove it with: DROP VIEW hr.legacy;",
)
OTHER_LANGUAGE = """
CREATE LANGUAGE other HANDLER plpgsql_call_handler;
CREATE FUNCTION inventory.strange() RETURNS int LANGUAGE other AS 'hr.employees';
"""

LEGAL = [
    "ALTER TABLE inventory.lots ADD FOREIGN KEY (drug) REFERENCES public.drugs",
    "ALTER TABLE hr.employees ADD COLUMN boss int REFERENCES hr.employees",
    "CREATE VIEW inventory.staff AS SELECT u.name FROM public.users u, inventory.drugs",
    "CREATE VIEW hr.codes AS SELECT code FROM public.drugs, hr.employees",
    "CREATE MATERIALIZED VIEW inventory.staff AS SELECT name FROM public.employees",
    (
        "CREATE TRIGGER drugs_touch BEFORE UPDATE ON inventory.drugs"
        " FOR EACH ROW EXECUTE FUNCTION public.touch()"
    ),
    (
        "CREATE TRIGGER drugs_touch BEFORE UPDATE ON inventory.drugs"
        " FOR EACH ROW EXECUTE FUNCTION inventory.touch()"
    ),
    "ALTER TABLE inventory.lots ALTER COLUMN quantity SET DEFAULT nextval('public.numbers')",
    "ALTER TABLE inventory.lots ADD COLUMN g int GENERATED ALWAYS AS (public.twice(id)) STORED",
    "ALTER TABLE inventory.lots ADD COLUMN grade public.grade",
    "ALTER TABLE inventory.lots ADD COLUMN form inventory.form",
    "CREATE TABLE inventory.staff () INHERITS (public.employees)",
    "CREATE TABLE hr.parts_2026 PARTITION OF hr.parts DEFAULT",
    "CREATE INDEX ON inventory.lots (public.twice(quantity))",
    (
        "CREATE FUNCTION inventory.f() RETURNS int LANGUAGE sql"
        " AS 'SELECT hr.id /* hr.employees */ FROM inventory.lots hr'"
    ),
    (
        "CREATE FUNCTION inventory.f() RETURNS text LANGUAGE plpgsql AS"
        " 'DECLARE hr record; BEGIN SELECT * INTO hr FROM public.employees; -- hr.employees\n"
        " IF hr.name IS DISTINCT FROM hr.id::text THEN RETURN ''hr.employees''; END IF;"
        " RETURN hr.name; END'"
    ),
    (
        "CREATE FUNCTION inventory.f() RETURNS int LANGUAGE sql"
        " AS 'SELECT 1 FROM public.employees, inventory.drugs'"
    ),
    "CREATE FUNCTION hr.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM hr.employees'",
    "ALTER TABLE inventory.drugs ADD CHECK (code <> 'hr.employees' AND code <> concat('hr', '.x'))",
    "CREATE VIEW inventory.found AS SELECT to_tsvector('hr.employees'), 'hr.names' AS hr",
    (
        "CREATE TRIGGER drugs_touch BEFORE UPDATE ON inventory.drugs FOR EACH ROW"
        " WHEN (NEW.code <> 'hr.employees') EXECUTE FUNCTION inventory.touch('hr.employees')"
    ),
    "CREATE VIEW nobodys.staff AS SELECT name FROM public.employees",
    "CREATE VIEW inventory.tables AS SELECT relname FROM pg_catalog.pg_class",
]


@pytest.fixture(scope="module")
def landscape(module_database: str) -> None:
    lay_out()
    execute(SAME)


@pytest.fixture
def rolled_back(landscape: None) -> Iterator[None]:
    """Roll back everything that the test does to the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def crossings(*names: str) -> list[Finding]:
    """What looking at each of the domains finds; the one that landscape.sql has is left out."""
    found = [
        finding
        for name in names or NAMES
        for finding in boundary_findings(connection, get_domain(name))
    ]
    return [finding for finding in dict.fromkeys(found) if finding != LEGACY]


def leftovers(name: str) -> list[tuple[str, str, str, str, str]]:
    return [
        (found.id, found.domain, found.object, found.message, found.hint)
        for found in leftover_findings(connection, get_domain(name))
    ]


def test_nothing_is_found_in_the_sample_domains(migrated_database: str):
    for domain in get_domains():
        assert list(boundary_findings(connection, domain)) == []
        assert list(leftover_findings(connection, domain)) == []


def test_nothing_is_found_in_an_empty_database(scratch_database: str):
    for domain in get_domains():
        assert list(boundary_findings(connection, domain)) == []
        assert list(leftover_findings(connection, domain)) == []
    assert query("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [
        (0,)
    ]


@pytest.mark.usefixtures("landscape")
def test_a_crossing_from_before_the_rule_is_found_from_both_sides():
    for name in ("hr", "inventory"):
        assert list(boundary_findings(connection, get_domain(name))) == [LEGACY]
    for name in ("core", "finance"):
        assert list(boundary_findings(connection, get_domain(name))) == []


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize("statement", CROSSINGS)
def test_each_crossing_is_found_and_named(statement: str):
    execute(statement)
    assert [
        (found.id, found.domain, found.object, found.message, found.hint) for found in crossings()
    ] == [(*said, f"{rule} {hint}") for *said, rule, hint in CROSSINGS[statement]]
    assert {found.kind for found in crossings()} == {"boundary"}
    assert crossings("finance") == []


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize("statement", LEGAL)
def test_allowed_references_are_not_reported(statement: str):
    execute(statement)
    assert crossings() == []


SERIAL = "pg_get_serial_sequence('hr.numbers', 'id')"
REPORT = "query_to_xml('SELECT * FROM hr.numbers', true, false, '')"

# Statements → the kinds and names of the objects that name hr.numbers in a string.
IN_STRINGS = {
    f"ALTER TABLE inventory.drugs ADD CONSTRAINT fair CHECK ({SERIAL} IS NULL) NOT VALID": (
        "constraint inventory.drugs.fair"
    ),
    f"ALTER TABLE inventory.drugs ALTER code SET DEFAULT {SERIAL}": (
        "default inventory.drugs.code"
    ),
    f"CREATE POLICY mine ON inventory.drugs WITH CHECK (({REPORT})::text <> '')": (
        "policy inventory.drugs.mine"
    ),
    f"CREATE RULE noted AS ON DELETE TO inventory.drugs DO ALSO SELECT {REPORT}": (
        "rule inventory.drugs.noted"
    ),
    (
        "CREATE TRIGGER drugs_touch AFTER UPDATE ON inventory.drugs FOR EACH ROW WHEN"
        " (has_table_privilege(NEW.code, 'hr.numbers', 'SELECT'))"
        " EXECUTE FUNCTION inventory.touch()"
    ): "trigger inventory.drugs.drugs_touch",
    (
        "CREATE INDEX few ON inventory.drugs (id) WHERE id::oid = ANY ('{hr.numbers}'::regclass[])"
    ): "index inventory.few",
    (
        "ALTER TABLE inventory.drugs ADD odd bool GENERATED ALWAYS AS"
        " (tableoid = ANY ('{hr.numbers}'::regclass[])) STORED"
    ): "generated column inventory.drugs.odd",
    f"CREATE MATERIALIZED VIEW inventory.report AS SELECT {REPORT} AS x WITH NO DATA": (
        "materialized view inventory.report"
    ),
    "CREATE VIEW inventory.report AS SELECT to_regclass('hr' || '.numbers')": (
        "view inventory.report"
    ),
    f"CREATE DOMAIN inventory.odd AS text DEFAULT {SERIAL}": "type inventory.odd",
    f"CREATE DOMAIN inventory.odd AS text CHECK (VALUE <> {SERIAL})": "type inventory.odd",
    f"CREATE PROCEDURE inventory.p(a text DEFAULT {SERIAL}) LANGUAGE sql AS 'SELECT 1'": (
        "procedure inventory.p(pg_catalog.text)"
    ),
    f"CREATE PROCEDURE inventory.p() BEGIN ATOMIC SELECT {REPORT}; END": (
        "procedure inventory.p()"
    ),
    (
        "CREATE FUNCTION inventory.count_rows(regclass) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        " CREATE FUNCTION inventory.f() RETURNS int LANGUAGE sql AS"
        " 'SELECT inventory.count_rows(''hr.numbers'')'"
    ): "function inventory.f()",
    r"""CREATE FUNCTION inventory.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE E'TABLE \x68r.numbers'; RETURN 1; END $$""": "function inventory.f()",
}


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize("statement", IN_STRINGS)
def test_names_in_strings_are_found_wherever_the_catalog_keeps_them(statement: str):
    execute(statement)
    assert [(found.id, found.message) for found in crossings()] == [
        (
            "B014",
            f"The {IN_STRINGS[statement]} names hr.numbers, which belongs to the domain"
            ' "hr", in its text (textual).',
        )
    ]


@pytest.mark.usefixtures("rolled_back")
def test_a_sequence_owned_across_is_found():
    # PostgreSQL itself refuses to make one.
    execute("SET LOCAL allow_system_table_mods = on")
    execute(
        "INSERT INTO pg_depend VALUES ('pg_class'::regclass, 'inventory.numbers'::regclass, 0,"
        " 'pg_class'::regclass, 'hr.employees'::regclass, 1, 'a')"
    )
    assert crossings() == [
        Finding(
            "B012",
            "boundary",
            "inventory",
            "inventory.numbers",
            "The sequence inventory.numbers is owned by a column of the table hr.employees, which"
            ' belongs to the domain "hr".',
            f"{USES} Remove it with: ALTER SEQUENCE inventory.numbers OWNED BY NONE;",
        )
    ]


@pytest.mark.usefixtures("rolled_back")
def test_objects_of_extensions_are_not_reported():
    execute("CREATE VIEW public.staff AS SELECT name FROM hr.employees")
    assert [found.object for found in crossings()] == ["public.staff"]
    execute("ALTER EXTENSION plpgsql ADD VIEW public.staff")
    assert crossings() == []


@pytest.mark.usefixtures("rolled_back")
def test_unparsed_function_bodies_are_reported():
    execute(OTHER_LANGUAGE)
    assert crossings() == [
        Finding(
            "B017",
            "boundary",
            "inventory",
            "inventory.strange()",
            "The function inventory.strange() may name another domain's objects; code in"
            " other is not analysed.",
            "Check what it uses; if it uses another domain's objects, replace or drop it.",
        )
    ]


@pytest.mark.usefixtures("rolled_back")
def test_function_bodies_are_reported_as_unparsed_without_sqlglot(monkeypatch: pytest.MonkeyPatch):
    execute("CREATE FUNCTION public.one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    execute("CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS 'SELECT name FROM hr.names'")
    monkeypatch.setattr(function_bodies, "has_parser", lambda: False)
    assert crossings() == [
        Finding(
            "B017",
            "boundary",
            "core",
            "public.f()",
            "The function public.f() may name another domain's objects; its text was not read,"
            " because sqlglot is not installed.",
            "Install it and run the command again: pip install 'sqlglot>=30'",
        )
    ]


@pytest.mark.usefixtures("rolled_back")
def test_a_function_that_computes_sql_is_unread_and_a_finding_if_it_mentions_a_domain():
    execute(
        "CREATE PROCEDURE inventory.erase(t text) LANGUAGE plpgsql AS"
        " $$BEGIN EXECUTE 'DELETE FROM ' || t; END$$"
    )
    execute(
        "CREATE PROCEDURE inventory.erase_in(t text, s text DEFAULT 'hr') LANGUAGE plpgsql AS"
        " $$BEGIN IF s = 'hr' THEN EXECUTE format('DELETE FROM %I.%I', s, t); END IF; END$$"
    )
    assert [(found.id, found.domain, found.message) for found in crossings()] == [
        (
            "U017",
            "inventory",
            "The procedure inventory.erase(pg_catalog.text) runs SQL that it computes, which is not"
            " read.",
        ),
        (
            "B017",
            "inventory",
            "The procedure inventory.erase_in(pg_catalog.text,pg_catalog.text) may name another"
            " domain's objects; it runs SQL that it computes, which is not read.",
        ),
    ]


@pytest.mark.usefixtures("rolled_back")
def test_hints_quote_names_that_need_quotes():
    execute('CREATE TABLE inventory."Odd ""one" (id int)')
    execute(
        'ALTER TABLE inventory."Odd ""one" ADD CONSTRAINT "To hr" FOREIGN KEY (id)'
        " REFERENCES hr.employees"
    )
    (found,) = crossings()
    statement = 'ALTER TABLE inventory."Odd ""one" DROP CONSTRAINT "To hr";'
    assert found.hint == f"{USES} Remove it with: {statement}"
    execute(statement)
    assert crossings() == []


def test_core_rule_is_the_other_sentence():
    rules = {said[4] for found in CROSSINGS.values() for said in found}
    assert rules == {USES, CORE_USES}


@pytest.fixture
def migrated(migrated_module_database: str) -> Iterator[None]:
    """The sample domains; the changes of the test are rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("migrated")
def test_tables_of_a_domain_in_public_are_left_over():
    execute("CREATE TABLE public.drugs (id int)")
    execute("CREATE TABLE public.inventory_drug (id int)")
    execute("CREATE TABLE public.django_migrations_inventory (id int)")
    expected = [
        (
            "L001",
            "inventory",
            f"public.{name}",
            f'The table public.{name} has the name of a table of the domain "inventory", but is'
            " in core's schema.",
            "Compare its rows with the table in the schema inventory before you change it: they may"
            " be the only copy.",
        )
        for name in ("django_migrations_inventory", "drugs", "inventory_drug")
    ]
    assert leftovers("inventory") == expected
    assert leftovers("core") == expected
    assert leftovers("hr") == []


@pytest.mark.usefixtures("migrated")
def test_tables_without_a_model_are_left_over():
    execute("CREATE TABLE public.scratch (id int)")
    execute("CREATE TABLE inventory.scratch (id int) PARTITION BY LIST (id)")
    execute("CREATE TABLE inventory.scratch_1 PARTITION OF inventory.scratch FOR VALUES IN (1)")
    execute("CREATE TABLE inventory.of_extension (id int)")
    execute("ALTER EXTENSION plpgsql ADD TABLE inventory.of_extension")
    for name, schema in (("inventory", "inventory"), ("core", "public")):
        assert leftovers(name) == [
            (
                "L002",
                name,
                f"{schema}.scratch",
                f"The table {schema}.scratch is in the schema of {name}, but no model has it.",
                "If the domain needs it, give it a model and a migration. A package or another tool"
                " may use it: find out before you remove it.",
            )
        ]


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(("name", "schema"), [("inventory", "inventory"), ("core", "public")])
def test_the_history_of_another_tool_is_named_and_kept(name: str, schema: str):
    execute(
        f"CREATE TABLE {schema}.knex_migrations (id serial PRIMARY KEY, name text, batch int,"
        " migration_time timestamptz)"
    )
    assert leftovers(name) == [
        (
            "L002",
            name,
            f"{schema}.knex_migrations",
            f"The table {schema}.knex_migrations is the migration history of Knex.",
            "Keep it as long as that tool migrates anything here: without it, the tool runs every"
            " migration again.",
        )
    ]


@pytest.mark.usefixtures("migrated")
def test_rows_of_a_domain_in_the_history_of_core_are_left_over():
    execute(
        "INSERT INTO public.django_migrations (app, name, applied) SELECT 'inventory', 'm' || n,"
        " now() FROM generate_series(1, 5) n"
    )
    assert leftovers("inventory") == [
        (
            "L003",
            "inventory",
            "public.django_migrations",
            'public.django_migrations has 5 rows of the domain "inventory": inventory.m1,'
            " inventory.m2, inventory.m3 and 2 more.",
            "Check that inventory.django_migrations_inventory has them (manage.py show_domains"
            " inventory); then DELETE FROM public.django_migrations WHERE app IN ('inventory');",
        )
    ]
    assert leftovers("core") == leftovers("hr") == []


@pytest.mark.usefixtures("migrated")
def test_invalid_indexes_are_left_over():
    execute("CREATE INDEX by_hand ON inventory.drugs (id)")
    execute("CREATE INDEX valid ON inventory.drugs (id)")
    execute("CREATE TABLE public.decoy (id int)")
    execute("CREATE INDEX by_hand ON public.decoy (id)")
    execute("SET LOCAL allow_system_table_mods = on")
    execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'inventory.by_hand'::regclass"
    )
    assert leftovers("inventory") == [
        (
            "L005",
            "inventory",
            "inventory.by_hand",
            "The index inventory.by_hand is invalid: it was never finished, and no query uses it.",
            "Build it again: REINDEX INDEX CONCURRENTLY inventory.by_hand; or drop it: DROP"
            " INDEX CONCURRENTLY inventory.by_hand;",
        )
    ]


@pytest.mark.usefixtures("migrated")
def test_unvalidated_constraints_are_left_over():
    execute("ALTER TABLE inventory.drugs ADD CONSTRAINT positive CHECK (id > 0) NOT VALID")
    execute("CREATE DOMAIN inventory.grams AS int")
    execute("ALTER DOMAIN inventory.grams ADD CONSTRAINT heavy CHECK (VALUE > 0) NOT VALID")
    execute(
        "ALTER TABLE inventory.drugs ADD CONSTRAINT to_core FOREIGN KEY (id)"
        " REFERENCES public.django_content_type NOT VALID"
    )
    if connection.pg_version >= 180000:
        # With nothing enforced there is nothing to validate.
        execute("ALTER TABLE inventory.drugs ADD CONSTRAINT lax CHECK (id > 1) NOT ENFORCED")
    found = leftovers("inventory")
    assert found == [
        (
            "L006",
            "inventory",
            f"inventory.{name}",
            f"The {kind} inventory.{name} was never validated: older rows may violate it.",
            f"Validate it with ValidateConstraint in a migration, or: ALTER {of} VALIDATE"
            f" CONSTRAINT {name.split('.')[1]};",
        )
        for name, kind, of in (
            ("drugs.positive", "constraint", "TABLE inventory.drugs"),
            ("drugs.to_core", "foreign key", "TABLE inventory.drugs"),
            ("grams.heavy", "constraint", "DOMAIN inventory.grams"),
        )
    ]
    execute(found[0][4].partition("or: ")[2])
    assert [item[2] for item in leftovers("inventory")] == [
        "inventory.drugs.to_core",
        "inventory.grams.heavy",
    ]


@pytest.mark.usefixtures("migrated")
def test_hint_for_an_invalid_index_is_one_that_postgresql_accepts():
    execute("CREATE TABLE inventory.parts (id int PRIMARY KEY, EXCLUDE USING btree (id WITH =))")
    execute("CREATE INDEX parts_ccnew ON inventory.parts (id)")
    execute("CREATE TABLE inventory.years (y int) PARTITION BY RANGE (y)")
    execute("CREATE TABLE inventory.y1 PARTITION OF inventory.years DEFAULT")
    execute("CREATE INDEX years_y ON ONLY inventory.years (y)")
    execute("SET LOCAL allow_system_table_mods = on")
    execute("UPDATE pg_index SET indisvalid = false WHERE indrelid = 'inventory.parts'::regclass")
    hints = {item[2]: item[4] for item in leftovers("inventory") if item[0] == "L005"}
    build = "Build it again: REINDEX INDEX CONCURRENTLY inventory.parts_pkey;"
    assert hints["inventory.parts_pkey"] == build
    assert hints["inventory.parts_id_excl"].endswith(": REINDEX INDEX inventory.parts_id_excl;")
    assert hints["inventory.parts_ccnew"].endswith("INDEX CONCURRENTLY inventory.parts_ccnew;")
    assert hints["inventory.years_y"].endswith("or drop it: DROP INDEX inventory.years_y;")
