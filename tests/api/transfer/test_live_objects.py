"""Objects of a database that name a table that moves, and the statements that mend them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import connection, transaction

from domain_migrations.api.transfer.live_objects import LiveObject, LiveObjects, read_live_objects
from domain_migrations.api.transfer.model_move import plan_move
from domain_migrations.domains import QualifiedName
from domain_migrations.engine.runner.transfer.table_transfer import TableTransfer
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.catalog import execute, query, snapshot

pytestmark = pytest.mark.usefixtures("migrated_database")

DECOYS = """
CREATE TABLE public.departments (id bigint PRIMARY KEY, code text);
CREATE VIEW public.open_departments AS SELECT id FROM public.departments;
CREATE FUNCTION public.decoy() RETURNS bigint LANGUAGE sql
    AS 'SELECT count(*) FROM public.departments';
"""


def _read(label: str, target: str) -> LiveObjects:
    move = plan_move(apps.get_model(label), apps.get_app_config(target))
    before = snapshot(include_privileges=True)
    found = read_live_objects(connection, move)
    assert snapshot(include_privileges=True) == before
    return found


def _by_name(found: LiveObjects) -> dict[str, LiveObject]:
    return {each.name: each for each in found.objects}


def _transfer(label: str, target: str) -> None:
    """Move the tables as the pair does."""
    move = plan_move(apps.get_model(label), apps.get_app_config(target))
    names = {QualifiedName.of(old): QualifiedName.of(new) for old, new in move.tables.items()}
    transfer = TableTransfer(
        move.source_domain,
        move.target_domain,
        move.source.label,
        target,
        move.model.__name__,
        names,
    )
    with connection.schema_editor() as editor:
        transfer.run(editor)


def _mended(label: str, target: str, more: Callable[[], None] = lambda: None) -> None:
    """The listed statements make the transfer possible, which is refused without them."""
    found = _read(label, target)
    if found.blocking:
        with pytest.raises(InvalidConfiguration), transaction.atomic():
            _transfer(label, target)
    for each in found.objects:
        for statement in each.before:
            execute(statement)
    more()
    _transfer(label, target)
    for each in reversed(found.objects):
        for statement in each.after:
            execute(statement)


def test_a_table_alone_needs_nothing() -> None:
    found = _read("inventory.Company", "core")
    assert found == LiveObjects("default", is_present=True)
    assert found.as_json() == {
        "database": "default",
        "present": True,
        "followers": [],
        "objects": [],
    }


def test_a_table_that_is_not_there_yet() -> None:
    execute("DROP TABLE inventory.companies CASCADE")
    assert _read("inventory.Company", "core") == LiveObjects("default", is_present=False)


def test_a_name_that_is_taken_blocks() -> None:
    execute("CREATE TABLE public.companies (id int)")
    (found,) = _read("inventory.Company", "core").objects
    assert found.blocks
    assert found.message.startswith(
        "inventory.companies to public.companies cannot be moved: the name is taken."
    )


def test_functions_get_the_new_name_in_their_text() -> None:
    execute("""
        CREATE TABLE public.decoy AS SELECT 7 AS id;
        CREATE FUNCTION inventory.names() RETURNS bigint LANGUAGE sql
            AS 'SELECT count(*) FROM inventory.companies';
        CREATE FUNCTION inventory."Odd"(x int) RETURNS bigint LANGUAGE plpgsql AS $f$
        DECLARE found inventory.companies%ROWTYPE;
        BEGIN
            EXECUTE 'SELECT * FROM inventory.companies LIMIT 1' INTO found;
            RETURN (SELECT count(*) FROM inventory . "companies");
        END $f$;
        CREATE PROCEDURE inventory.doubtful() LANGUAGE plpgsql AS
            $$ BEGIN EXECUTE format('SELECT 1 FROM inventory.%I', 'companies'); END $$;
        CREATE FUNCTION inventory.own() RETURNS bigint BEGIN ATOMIC
            SELECT count(*) FROM inventory.companies; END;
        CREATE FUNCTION public.of_core() RETURNS bigint LANGUAGE sql AS
            'SELECT count(*) FROM public.decoy -- companies';
    """)
    found = _by_name(_read("inventory.Company", "core"))
    assert sorted(found) == [
        'inventory."Odd"(integer)',
        "inventory.doubtful()",
        "inventory.names()",
    ]
    assert not any(each.blocks for each in found.values())
    assert found["inventory.names()"].as_json() == {
        "kind": "function",
        "name": "inventory.names()",
        "message": "The function inventory.names() names what moves in its text, and fails"
        " afterwards.",
        "before": [],
        "after": [
            "CREATE OR REPLACE FUNCTION inventory.names()\n RETURNS bigint\n LANGUAGE sql\n"
            "AS $function$SELECT count(*) FROM public.companies$function$;"
        ],
        "blocks": False,
    }
    assert found["inventory.doubtful()"].after == ()
    assert "line 1: BEGIN EXECUTE format(" in found["inventory.doubtful()"].message
    _mended("inventory.Company", "core")
    assert query('SELECT inventory.names(), inventory."Odd"(1), inventory.own()') == [(0, 0, 0)]
    assert query("SELECT public.of_core()") == [(1,)]


def test_a_function_of_the_domain_that_is_left_may_not_use_the_other_one() -> None:
    execute("""
        CREATE FUNCTION inventory.names() RETURNS bigint LANGUAGE sql
            AS 'SELECT count(*) FROM inventory.companies';
        CREATE FUNCTION hr.names() RETURNS bigint LANGUAGE sql
            AS 'SELECT count(*) FROM inventory.companies';
    """)
    found = _by_name(_read("inventory.Company", "hr"))
    assert found["inventory.names()"].message.endswith(
        ' afterwards. verify_domain will report it, because it belongs to the domain "hr": move'
        " it, or do without it."
    )
    assert found["hr.names()"].message.endswith("and fails afterwards.")


def test_views_on_views_are_dropped_in_their_order() -> None:
    execute(f"""
        {DECOYS}
        CREATE VIEW inventory.open_departments AS
            SELECT d.id, d.code FROM inventory.departments d WHERE d.is_active;
        CREATE MATERIALIZED VIEW inventory."Counted" AS
            SELECT count(*) AS n FROM inventory.open_departments;
        CREATE VIEW inventory.above AS SELECT o.id, c.n
            FROM inventory.open_departments o, inventory."Counted" c;
        CREATE VIEW hr.departments_of_hr AS SELECT id FROM inventory.departments;
    """)
    found = _read("inventory.Department", "hr")
    views = [each for each in found.objects if each.kind.endswith("view")]
    assert [each.name for each in views] == [
        "inventory.above",
        'inventory."Counted"',
        "inventory.open_departments",
    ]
    assert views[2].before == ("DROP VIEW inventory.open_departments;",)
    (statement,) = views[2].after
    assert statement.replace("d.", "") == (  # PostgreSQL 15 names the table of each column.
        "CREATE VIEW hr.open_departments AS\n"
        "SELECT id,\n    code\n   FROM hr.departments d\n  WHERE is_active;"
    )
    keys = [each for each in found.objects if each.kind == "foreign key"]
    assert not any(each.blocks for each in keys)
    (own,) = [each for each in keys if each.name.startswith("inventory.departments.")]
    assert own.message.endswith(" then. The conversion of inventory.Department.location drops it.")


def test_views_of_the_domain_that_is_left_go_on_to_read_core() -> None:
    execute("CREATE VIEW inventory.names AS SELECT name FROM inventory.companies")
    assert _read("inventory.Company", "core").objects == ()
    _transfer("inventory.Company", "core")
    assert query("SELECT count(*) FROM inventory.names") == [(0,)]


def test_a_foreign_key_that_no_model_knows_blocks() -> None:
    execute(
        """
        CREATE TABLE public.companies_of_hr (company_id bigint);
        CREATE TABLE hr.orders (
            company_id bigint CONSTRAINT "Unknown" REFERENCES core_or_not.companies
        );
    """.replace("core_or_not", "inventory")
    )
    (found,) = _read("inventory.Company", "finance").blocking
    assert found.as_json() == {
        "kind": "foreign key",
        "name": 'hr.orders."Unknown"',
        "message": 'The foreign key hr.orders."Unknown" references the table inventory.companies:'
        ' it belongs to the domain "finance" then, and no model knows it.',
        "before": ['ALTER TABLE hr.orders DROP CONSTRAINT "Unknown";'],
        "after": [],
        "blocks": True,
    }


PARTS = """
CREATE TABLE inventory.others (id bigint PRIMARY KEY, code text);
CREATE FUNCTION inventory.same(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.same(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE TYPE inventory.mood AS ENUM ('ok');
CREATE SEQUENCE inventory.numbers;
CREATE SEQUENCE inventory.own_numbers;
CREATE FUNCTION inventory.touch() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE INSERT ON inventory.others
    FOR EACH ROW EXECUTE FUNCTION inventory.touch();
CREATE TRIGGER touch BEFORE INSERT ON inventory.companies
    FOR EACH ROW EXECUTE FUNCTION inventory.touch();
CREATE INDEX same ON inventory.companies (inventory.same(name));
CREATE INDEX same_of_core ON inventory.companies (public.same(name));
ALTER TABLE inventory.companies
    ADD number bigint DEFAULT nextval('inventory.numbers'),
    ADD own_number bigint DEFAULT nextval('inventory.own_numbers'),
    ADD short text GENERATED ALWAYS AS (inventory.same(code)) STORED,
    ADD CONSTRAINT same CHECK (inventory.same(name) <> '');
ALTER TABLE inventory.others ADD number bigint DEFAULT nextval('inventory.numbers');
CREATE POLICY same ON inventory.companies USING (inventory.same(name) <> '');
CREATE RULE copied AS ON INSERT TO inventory.companies
    DO ALSO INSERT INTO inventory.others VALUES (NEW.id);
CREATE STATISTICS inventory.pairs ON code, name FROM inventory.companies;
CREATE PUBLICATION all_of_it FOR TABLES IN SCHEMA inventory;
"""


def test_what_the_table_has_from_the_domain_that_it_leaves_blocks() -> None:
    execute(PARTS)
    found = _read("inventory.Company", "core")
    assert found.followers == (
        ("sequence", "inventory.own_numbers"),
        ("statistics", "inventory.pairs"),
    )
    statements = {statement for each in found.objects for statement in each.before}
    assert statements == {
        "ALTER TABLE inventory.companies ALTER COLUMN number DROP DEFAULT;",
        "ALTER TABLE inventory.companies DROP COLUMN short;",
        "ALTER TABLE inventory.companies DROP CONSTRAINT same;",
        "DROP INDEX inventory.same;",
        "DROP POLICY same ON inventory.companies;",
        "DROP RULE copied ON inventory.companies;",
        "DROP TRIGGER touch ON inventory.companies;",
    }
    assert {each.kind for each in found.objects if not each.blocks} == {"publication"}
    (index,) = [each for each in found.objects if each.kind == "index"]
    assert index.message == (
        "The index inventory.same uses the function inventory.same(pg_catalog.text): core may not"
        ' depend on domains, and it belongs to the domain "inventory" then.'
    )
    _mended("inventory.Company", "core")
    assert query("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'same%%'") == [(1,)]
    assert query("SELECT inventory.same('a'), public.same('b')") == [("a", "b")]


def test_what_uses_the_table_blocks__from_another_domain() -> None:
    execute(f"""
        {DECOYS}
        CREATE TABLE inventory.others (seller inventory.companies, id bigint);
        CREATE RULE forward AS ON DELETE TO inventory.others
            DO ALSO DELETE FROM inventory.companies WHERE false;
        CREATE FUNCTION inventory.own() RETURNS bigint BEGIN ATOMIC
            SELECT count(*) FROM inventory.companies; END;
        CREATE TABLE inventory.child () INHERITS (inventory.companies);
        CREATE POLICY own ON inventory.others
            USING (EXISTS (SELECT FROM inventory.companies c WHERE c.id = others.id));
    """)
    found = _by_name(_read("inventory.Company", "finance"))
    assert {name: each.before for name, each in found.items() if each.kind != "foreign key"} == {
        "inventory.others.seller": (),
        "inventory.others.forward": ("DROP RULE forward ON inventory.others;",),
        "inventory.own()": ("DROP FUNCTION inventory.own();",),
        "inventory.others.own": ("DROP POLICY own ON inventory.others;",),
    }
    assert found["inventory.others.seller"].message.endswith(
        "Use a type of its own domain or of core."
    )


def test_children_in_another_schema_block() -> None:
    execute("""
        CREATE SCHEMA archive;
        CREATE TABLE archive.companies () INHERITS (inventory.companies);
        CREATE TABLE inventory.companies_2026 () INHERITS (inventory.companies);
    """)
    found = _read("inventory.Company", "finance")
    assert [each.before for each in found.blocking if each.kind == "table"] == [
        ("ALTER TABLE archive.companies NO INHERIT inventory.companies;",)
    ]


def test_every_key_to_a_model_that_leaves_core_is_converted() -> None:
    found = _read("core.CostCentre", "finance")
    keys = [each for each in found.objects if each.kind == "foreign key"]
    assert found.objects == tuple(keys)
    assert found.blocking == ()
    assert len(keys) == 2


def test_a_default_that_names_a_sequence_as_a_text_blocks() -> None:
    execute("""
        CREATE SEQUENCE hr."Num.bers";
        CREATE TABLE public.decoy (number bigint DEFAULT nextval('hr."Num.bers"'::text));
        CREATE SEQUENCE inventory."Num.bers" OWNED BY inventory.companies.id;
        ALTER TABLE inventory.companies ADD "numb.er" bigint
            DEFAULT nextval('inventory."Num.bers"'::text) + 1;
    """)
    found = _read("inventory.Company", "core")
    (item,) = found.objects
    assert item.as_json() == {
        "kind": "default of",
        "name": 'inventory.companies."numb.er"',
        "message": 'The default of inventory.companies."numb.er" names a sequence as a text, which'
        " is not found afterwards.",
        "before": [
            'ALTER TABLE inventory.companies ALTER COLUMN "numb.er" SET DEFAULT'
            " (nextval('inventory.\"Num.bers\"'::regclass) + 1);"
        ],
        "after": [],
        "blocks": True,
    }
    with (
        pytest.raises(InvalidConfiguration, match="names a sequence as a text"),
        transaction.atomic(),
    ):
        _transfer("inventory.Company", "core")
    execute(item.before[0])
    assert _read("inventory.Company", "core").objects == ()
    _transfer("inventory.Company", "core")
    execute(
        "INSERT INTO public.companies (code, name, kind, tax_id, address, phone, email,"
        " is_active) VALUES ('A', 'a', 'vendor', '', '', '', '', true)"
    )
    assert query('SELECT "numb.er" FROM public.companies') == [(2,)]


def test_publications_tell_what_subscribers_need() -> None:
    execute("""
        CREATE TABLE public.decoy (id int);
        CREATE PUBLICATION decoy FOR TABLE public.decoy;
        CREATE PUBLICATION "Of it" FOR TABLE inventory.companies;
        CREATE PUBLICATION everything FOR ALL TABLES;
    """)
    found = _read("inventory.Company", "core")
    assert [each.name for each in found.objects] == ['"Of it"', "everything"]
    assert found.blocking == ()
    assert found.objects[0].message == (
        'The publication "Of it" has the table inventory.companies: a subscriber gets its rows as'
        " public.companies then, and stops unless it has that table."
    )
