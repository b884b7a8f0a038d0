"""The guard on objects in no schema: publications, roles, languages, servers, journals, …"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain_migrations.engine.boundary.rule import DOMAIN_DEPENDS
from domain_migrations.engine.guard.violations import JOURNAL, WHOLE_DATABASE
from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.database import as_migration, prepare, run
from tests.engine.guard.helpers import refusal, run_non_atomic
from tests.engine.guard.violation_cases import HR
from tests.support import catalog
from tests.support.projects import Project, domain_app

DATABASE, CLUSTER = "which concerns the whole database", "which concerns the whole cluster"
HANDLER = "HANDLER heap_tableam_handler"
SHARED = """
CREATE PUBLICATION own FOR TABLE inventory.drugs;
CREATE PUBLICATION hrs FOR TABLES IN SCHEMA hr;
CREATE PUBLICATION mixed FOR TABLE hr.employees, inventory.drugs;
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA hr, inventory;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION empty;
ALTER DEFAULT PRIVILEGES IN SCHEMA hr GRANT SELECT ON TABLES TO PUBLIC;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere;
CREATE FUNCTION public.ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION public.ev();
CREATE TYPE inventory.size AS (a int);
CREATE CAST (hr.mood AS text) WITH INOUT;
CREATE CAST (inventory.form AS text) WITH INOUT;
CREATE TEXT SEARCH DICTIONARY hr.words (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION hr.words (COPY = simple);
CREATE TEXT SEARCH CONFIGURATION inventory.words (COPY = simple);
CREATE OPERATOR FAMILY hr.sizes USING btree;
CREATE OPERATOR FAMILY inventory.sizes USING btree;
CREATE FUNCTION hr.compare(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION hr.load(internal) RETURNS inventory.size IMMUTABLE LANGUAGE internal AS 'record_in';
CREATE DOMAIN inventory.percent AS int;
CREATE TRIGGER touched BEFORE UPDATE ON inventory.drugs FOR EACH ROW
    EXECUTE FUNCTION inventory.touch();
CREATE POLICY seen ON inventory.drugs USING (true);
CREATE OPERATOR inventory.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
"""


@pytest.fixture(scope="module")
def world(module_database: str) -> dict[str, str]:
    """The landscape, with the engine's tables and more objects that are in no schema."""
    prepare()
    catalog.execute(SHARED)
    return catalog.snapshot()


# A statement of inventory, what the refusal says of it, the hint.
PUBLICATIONS = [
    ("ALTER PUBLICATION schemas DROP TABLES IN SCHEMA hr",
     f"took AccessExclusiveLock on publication schemas in hr, {HR}", DOMAIN_DEPENDS),
    ("ALTER PUBLICATION hrs SET TABLES IN SCHEMA inventory",
     f"took AccessExclusiveLock on publication hrs in hr, {HR}", DOMAIN_DEPENDS),
    ("ALTER PUBLICATION own ADD TABLES IN SCHEMA hr", f"altered schema hr, {HR}", DOMAIN_DEPENDS),
    ("ALTER PUBLICATION own ADD TABLE hr.employees",
     f"took ShareUpdateExclusiveLock on hr.employees, {HR}", DOMAIN_DEPENDS),
    ("ALTER PUBLICATION mixed DROP TABLE hr.employees",
     f"took ShareUpdateExclusiveLock on hr.employees, {HR}", DOMAIN_DEPENDS),
    ("ALTER PUBLICATION mixed SET TABLE inventory.drugs",
     f"took ShareUpdateExclusiveLock on hr.employees, {HR}", DOMAIN_DEPENDS),
    *(
        (f"ALTER PUBLICATION {name} {change}", f"created or altered publication {name}, {DATABASE}",
         WHOLE_DATABASE)
        for name in ("hrs", "mixed", "schemas", "everything")
        for change in ("SET (publish = 'insert')",)
    ),
    ("ALTER PUBLICATION hrs RENAME TO theirs", f"created or altered publication theirs, {DATABASE}",
     WHOLE_DATABASE),
    ("CREATE PUBLICATION more FOR ALL TABLES", f"created or altered publication more, {DATABASE}",
     WHOLE_DATABASE),
    *(
        (f"DROP PUBLICATION {name}", f"dropped or altered publication {name}, {DATABASE}",
         WHOLE_DATABASE)
        for name in ("everything", "empty")
    ),
    ("DROP PUBLICATION hrs", f"dropped or altered publication hrs, {DATABASE}", WHOLE_DATABASE),
    ("COMMENT ON PUBLICATION mixed IS 'x'", f"dropped or altered publication mixed, {DATABASE}",
     WHOLE_DATABASE),
]  # fmt: skip
OWN_PUBLICATIONS = [
    "CREATE PUBLICATION more FOR TABLE inventory.lots; ALTER PUBLICATION more SET (publish = '')",
    "CREATE PUBLICATION more; ALTER PUBLICATION more ADD TABLES IN SCHEMA inventory",
    "CREATE PUBLICATION more; DROP PUBLICATION more",
    "ALTER PUBLICATION own ADD TABLE inventory.lots",
    "ALTER PUBLICATION own SET (publish = 'insert')",
    "ALTER PUBLICATION mixed ADD TABLE inventory.lots",
    "ALTER PUBLICATION mixed DROP TABLE inventory.drugs",
    "ALTER PUBLICATION schemas DROP TABLES IN SCHEMA inventory",
    "DROP PUBLICATION own",
    "DROP TABLE inventory.drugs CASCADE",
    "SAVEPOINT a; DROP PUBLICATION everything; ROLLBACK TO a",
]

WHOLE = [
    ("COMMENT ON LANGUAGE plpgsql IS 'x'", "took ShareUpdateExclusiveLock on an object that came"
     " with the server"),
    ("DROP EVENT TRIGGER seen", f"dropped or altered event trigger seen, {DATABASE}"),
    ("ALTER EVENT TRIGGER seen DISABLE", f"created or altered event trigger seen, {DATABASE}"),
    ("CREATE LANGUAGE tongue HANDLER plpgsql_call_handler",
     f"created or altered language tongue, {DATABASE}"),
    ("GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC",
     f"created or altered language plpgsql, {DATABASE}"),
    (f"CREATE ACCESS METHOD pile TYPE TABLE {HANDLER}",
     f"created or altered access method pile, {DATABASE}"),
    ("CREATE FOREIGN DATA WRAPPER more",
     f"created or altered foreign-data wrapper more, {DATABASE}"),
    ("CREATE SERVER more FOREIGN DATA WRAPPER nothing",
     f"created or altered server more, {DATABASE}"),
    ("ALTER SERVER elsewhere VERSION '2'", f"created or altered server elsewhere, {DATABASE}"),
    ("DROP SERVER elsewhere CASCADE", f"dropped or altered server elsewhere, {DATABASE}"),
    ("CREATE USER MAPPING FOR PUBLIC SERVER elsewhere",
     f"created, altered or dropped user mappings, {CLUSTER}"),
    ("DROP USER MAPPING FOR CURRENT_USER SERVER elsewhere",
     f"created, altered or dropped user mappings, {CLUSTER}"),
    ("CREATE CAST (text AS point) WITH INOUT",
     f"created or altered cast text AS point, {DATABASE}"),
    ("CREATE ROLE guard_somebody", f"created, altered or dropped roles, {CLUSTER}"),
    ("ALTER ROLE CURRENT_USER SET work_mem = '5MB'",
     f"created, altered or dropped settings of databases or roles, {CLUSTER}"),
    ("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 5000', current_database());"
     " END $$", f"created, altered or dropped settings of databases or roles, {CLUSTER}"),
    ("DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO pg_monitor', current_database());"
     " END $$", f"created, altered or dropped databases, {CLUSTER}"),
    ("GRANT pg_read_all_data TO pg_monitor",
     f"created, altered or dropped memberships of roles, {CLUSTER}"),
    ("COMMENT ON ROLE pg_monitor IS 'x'",
     f"created, altered or dropped comments on databases or roles, {CLUSTER}"),
    ("GRANT SET ON PARAMETER work_mem TO pg_monitor",
     f"created, altered or dropped privileges on settings, {CLUSTER}"),
    ("SELECT pg_replication_origin_create('guard_origin')",
     f"created, altered or dropped replication origins, {CLUSTER}"),
    ("CREATE SUBSCRIPTION more CONNECTION '' PUBLICATION p WITH (connect = false)",
     f"created, altered or dropped subscriptions, {CLUSTER}"),
]  # fmt: skip

CROSSING = [
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA hr REVOKE SELECT ON TABLES FROM PUBLIC",
     f"took AccessExclusiveLock on default privileges of postgres in hr, {HR}"),
    ("ALTER TEXT SEARCH CONFIGURATION inventory.words ALTER MAPPING FOR word WITH hr.words",
     f"made text search configuration inventory.words use text search dictionary hr.words, {HR}"),
    ("ALTER TEXT SEARCH CONFIGURATION hr.words ALTER MAPPING FOR word WITH english_stem",
     f"altered text search configuration hr.words, {HR}"),
    ("ALTER TEXT SEARCH CONFIGURATION hr.words DROP MAPPING FOR word",
     f"altered text search configuration hr.words, {HR}"),
    ("ALTER OPERATOR FAMILY inventory.sizes USING btree ADD OPERATOR 3 hr.=== (int, int)",
     "made operator of access method operator 3 (integer, integer) of inventory.sizes USING btree"
     f" use operator hr.===(integer,integer), {HR}"),
    ("ALTER OPERATOR FAMILY inventory.sizes USING btree ADD FUNCTION 1 (int, int)"
     " hr.compare(int, int)",
     "made function of access method function 1 (integer, integer) of inventory.sizes USING btree"
     f" use function hr.compare(integer,integer), {HR}"),
    ("ALTER OPERATOR FAMILY hr.sizes USING btree ADD OPERATOR 3 = (int, int)",
     f"altered operator family hr.sizes USING btree, {HR}"),
    ("CREATE TRANSFORM FOR inventory.size LANGUAGE sql (FROM SQL WITH FUNCTION"
     " prsd_lextype(internal), TO SQL WITH FUNCTION hr.load(internal))",
     f"made transform for inventory.size language sql use function hr.load(pg_catalog.internal),"
     f" {HR}"),
    ("ALTER DOMAIN inventory.percent SET DEFAULT hr.salary(1)",
     f"made type inventory.percent use function hr.salary(integer), {HR}"),
    ("CREATE OR REPLACE TRIGGER touched BEFORE UPDATE ON inventory.drugs FOR EACH ROW"
     " EXECUTE FUNCTION hr.touch()",
     f"made trigger touched on inventory.drugs use function hr.touch(), {HR}"),
    ("ALTER POLICY seen ON inventory.drugs USING (hr.salary(1) = 1)",
     f"made policy seen on inventory.drugs use function hr.salary(integer), {HR}"),
    ("DROP CAST (hr.mood AS text)",
     f"took AccessExclusiveLock on cast hr.mood AS text in hr, {HR}"),
]  # fmt: skip

OWN = [
    "DROP CAST (inventory.form AS text)",
    "CREATE CAST (inventory.size AS text) WITH INOUT",
    "ALTER TEXT SEARCH CONFIGURATION inventory.words ALTER MAPPING FOR word WITH english_stem",
    "ALTER OPERATOR FAMILY inventory.sizes USING btree ADD OPERATOR 3 = (int, int)",
    "ALTER DOMAIN inventory.percent SET DEFAULT 5",
    "ALTER TRIGGER touched ON inventory.drugs RENAME TO seen",
    "COMMENT ON TABLE inventory.drugs IS 'x'; GRANT SELECT ON inventory.drugs TO pg_monitor",
    "DELETE FROM inventory.django_migrations_inventory WHERE name = 'x'",
    "SELECT * FROM inventory.django_migrations_inventory_journal",
]

JOURNAL_TABLE = "inventory.django_migrations_inventory_journal"
KEPT = [
    ("DELETE FROM {}", "RowExclusiveLock", JOURNAL_TABLE),
    (
        "UPDATE {} SET app = 'x'",
        "RowExclusiveLock",
        "inventory.django_migrations_inventory_journal",
    ),
    ("TRUNCATE {}", "AccessExclusiveLock", JOURNAL_TABLE),
    ("DROP TABLE {}", "AccessExclusiveLock", JOURNAL_TABLE),
    ("DROP TABLE {}", "AccessExclusiveLock", "inventory.django_migrations_inventory"),
    ("ALTER TABLE {} ADD x int", "AccessExclusiveLock", "inventory.django_migrations_inventory"),
]


def refused(did: str, number: int = 1) -> str:
    return f"Migration inventory.0002_change is refused: its operation {number}, RunSQL, {did}."


@pytest.mark.parametrize(("statement", "did", "hint"), PUBLICATIONS, ids=lambda part: part[:45])
def test_publications_of_others(world: dict[str, str], statement: str, did: str, hint: str) -> None:
    assert refusal(statement) == (refused(did), hint)


@pytest.mark.parametrize("statement", [*OWN_PUBLICATIONS, *OWN])
def test_own_objects(world: dict[str, str], statement: str) -> None:
    assert refusal(statement) is None


@pytest.mark.parametrize(("statement", "did"), WHOLE, ids=lambda part: part[:45])
def test_whole_database(world: dict[str, str], statement: str, did: str) -> None:
    assert refusal("SELECT 1", statement) == (refused(did, 2), WHOLE_DATABASE)
    assert refusal(statement, alters_database=True) is None
    trigger = "EVENT TRIGGER" in statement
    assert (refusal(statement, domain="core") is None) != trigger


@pytest.mark.parametrize(("statement", "did"), CROSSING, ids=lambda part: part[:45])
def test_crossing(world: dict[str, str], statement: str, did: str) -> None:
    for alters_database in (False, True):
        message, hint = refusal(statement, alters_database=alters_database) or ("", "")
        # PostgreSQL 15 describes a transform with one word more.
        assert message.replace(" on language ", " language ") == refused(did)
        assert hint == DOMAIN_DEPENDS


@pytest.mark.parametrize(("statement", "mode", "table"), KEPT)
def test_tables_of_the_engine(world: dict[str, str], statement: str, mode: str, table: str) -> None:
    did = f"took {mode} on {table}, which the engine keeps"
    assert refusal(statement.format(table)) == (refused(did), JOURNAL)


def test_tables_of_the_engine__core(world: dict[str, str]) -> None:
    statement = "DELETE FROM public.django_migrations_core_journal"
    assert refusal(statement, domain="core") is not None
    assert refusal(statement, writes_core=True) is not None
    assert refusal("DELETE FROM public.django_migrations WHERE app = 'x'", domain="core") is None


@pytest.mark.parametrize(
    "statement", [s for s, *_ in (*PUBLICATIONS[::3], *WHOLE[::3], *CROSSING[::3])]
)
def test_without_a_transaction(world: dict[str, str], statement: str) -> None:
    with pytest.raises(BoundaryViolation):
        run_non_atomic("SELECT 1", statement)
    assert catalog.snapshot() == world


@pytest.mark.parametrize("statement", ["ALTER SYSTEM SET work_mem = '5MB'", "CREATE DATABASE x"])
def test_without_a_transaction__cluster(world: dict[str, str], statement: str) -> None:
    with pytest.raises(BoundaryViolation) as caught:
        run_non_atomic("SELECT 1", statement)
    assert caught.value.message == refused("would change the database's cluster", 2)
    assert caught.value.hint == WHOLE_DATABASE


def test_whole_database__extension(world: dict[str, str]) -> None:
    """What an extension of the domain's brings belongs to it: casts, languages and the like."""
    available = catalog.query("SELECT name FROM pg_available_extensions")
    for name in {"hstore", "citext", "vector", "pg_trgm"} & {name for (name,) in available}:
        assert refusal(f"CREATE EXTENSION {name} SCHEMA inventory") is None


def test_reports_a_table_that_leaves_a_publication(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropping a column with CASCADE takes the table out of a publication that filters by it."""
    prepare()
    catalog.execute("CREATE PUBLICATION p FOR TABLE inventory.lots WHERE (quantity > 0)")
    warnings: list[str] = []
    monkeypatch.setattr(
        "domain_migrations.engine.runner.results.Reporter.on_warning",
        lambda reporter, message: warnings.append(message),
    )
    run(as_migration("ALTER TABLE inventory.lots DROP COLUMN quantity CASCADE"))
    assert warnings == [
        "inventory.lots is no longer in the publication p: what subscribes to it receives no more"
        " changes of the table."
    ]
    assert catalog.query("SELECT count(*) FROM pg_publication_rel") == [(0,)]


def test_reports_views_that_are_dropped_with_a_table(project: Callable[..., Project]) -> None:
    create = """
    class Migration(migrations.Migration):
        operations = [migrations.CreateModel("Lot", options={"db_table": '"lab"."lots"'}, fields=[
            ("id", models.BigAutoField(primary_key=True)),
        ])]
    """
    delete = """
    class Migration(migrations.Migration):
        dependencies = [("lab", "0001_initial")]
        operations = [migrations.DeleteModel("Lot")]
    """
    lab = domain_app("lab", schema="lab", migrations={"0001_initial": create, "0002_x": delete})
    foreign = project({"lab": lab})
    arguments = ("migrate_domain", "lab", "0001", "--with-dependencies")
    assert foreign.manage(*arguments).returncode == 0
    catalog.execute("CREATE VIEW lab.v AS SELECT id FROM lab.lots")
    catalog.execute("CREATE MATERIALIZED VIEW lab.w AS SELECT id FROM lab.v")
    result = foreign.manage("migrate_domain", "lab")
    assert result.returncode == 0, result.stderr
    found = "Dropped together with a table that they use, by CASCADE: lab.v, lab.w."
    assert found in result.stdout + result.stderr
