"""Database roles of domains: their privileges, and their removal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import DatabaseError, connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.sessions.roles import RoleSwitcher, role_name
from tests.support.catalog import execute, histories, query, snapshot
from tests.support.commands import Result
from tests.support.projects import Project, domain_app, plain_app

Call = Callable[..., Result]
INSUFFICIENT_PRIVILEGE = "42501"
DOMAINS = ("inventory", "hr", "finance")


def role(domain: str) -> str:
    return role_name(connections["default"], get_domain(domain))


@pytest.fixture
def granted(migrated_database: str, call: Call) -> Iterator[None]:
    names = [role(domain) for domain in DOMAINS]
    result = call("grant_domain", apply=True)
    assert result.exit_status == 0, result.stderr
    yield
    call("grant_domain", remove=True)
    left = query("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", names)
    assert left == []


def allowed(as_role: str, statement: str) -> bool:
    """Return whether the statement runs as the role, and roll it back."""
    with connections["default"].cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f'SET LOCAL ROLE "{as_role}"')
        try:
            cursor.execute(statement)
        except DatabaseError as exc:
            if getattr(exc.__cause__, "sqlstate", "") != INSUFFICIENT_PRIVILEGE:
                raise
            return False
        finally:
            cursor.execute("ROLLBACK")
    return True


def test_roles_cannot_log_in_and_own_their_schemas(granted: None) -> None:
    for domain in DOMAINS:
        name = role(domain)
        assert query("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = %s", name) == [
            (False, False)
        ]
        owners = query(
            "SELECT DISTINCT pg_get_userbyid(owner) FROM ("
            " SELECT relowner AS owner FROM pg_class WHERE relnamespace = %s::regnamespace"
            " UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = %s::regnamespace"
            " UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = %s) AS all_of_it",
            domain,
            domain,
            domain,
        )
        assert owners == [(name,)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT * FROM hr.employees", True),
        ("DROP VIEW hr.current_staff", True),
        ("CREATE TABLE hr.more (id int, who uuid REFERENCES public.users (id))", True),
        ("SELECT id, email FROM public.users", True),
        ("SELECT count(*) FROM public.cost_centres", True),
        ("SELECT * FROM public.django_migrations", True),
        ("SELECT password FROM public.users", False),
        ("SELECT * FROM public.django_session", False),
        ("UPDATE public.cost_centres SET is_active = true", False),
        ("DELETE FROM public.django_migrations", False),
        ("ALTER TABLE public.users ADD COLUMN x int", False),
        ("CREATE TRIGGER t AFTER INSERT ON public.users EXECUTE FUNCTION hr.nothing()", False),
        ("SELECT * FROM inventory.drugs", False),
        ("UPDATE finance.invoices SET number = number", False),
        ("CREATE TABLE inventory.more (id int)", False),
        ("CREATE FUNCTION finance.f() RETURNS int LANGUAGE sql RETURN 1", False),
        ("DROP SCHEMA inventory CASCADE", False),
        ("CREATE SCHEMA more", False),
        ("CREATE TABLE public.more (id int)", False),
    ],
)
def test_privileges_of_a_domain_role(granted: None, statement: str, expected: bool) -> None:
    assert allowed(role("hr"), statement) is expected


def test_run_acts_as_the_domains_role(granted: None, call: Call) -> None:
    before = (snapshot(), histories())
    result = call("migrate_domain", "hr", "zero")
    assert result.exit_status == 0, result.stderr
    result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr
    assert (snapshot(), histories()) == before
    owners = query(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
        " WHERE relnamespace = 'hr'::regnamespace"
    )
    assert owners == [(role("hr"),)]
    users = query(
        "SELECT DISTINCT database_user FROM hr.django_migrations_hr_journal"
        " WHERE direction IN ('forwards', 'backwards') AND id >"
        " (SELECT max(id) FROM hr.django_migrations_hr_journal WHERE direction = 'backwards')"
    )
    assert users == [(role("hr"),)]
    assert query("SELECT current_user = session_user") == [(True,)]


def test_switching_returns_to_the_role_before(granted: None) -> None:
    def user() -> str:
        return str(query("SELECT current_user")[0][0])

    roles, login = RoleSwitcher(connections["default"], get_domain("hr")), user()
    with roles.as_login_role():
        assert user() == login
    assert user() == login
    with roles.as_domain_role():
        with roles.as_login_role():
            assert user() == login
        assert user() == role("hr")
        with roles.as_domain_role():
            assert user() == role("hr")
        assert user() == role("hr")
    assert user() == login


def test_applying_again_and_removing_again_change_nothing(
    migrated_database: str, call: Call
) -> None:
    plain = snapshot()
    owners = "SELECT relname, relowner FROM pg_class WHERE relnamespace = 'hr'::regnamespace"
    owned = sorted(query(owners))
    for _ in range(2):
        assert call("grant_domain", "hr", apply=True).exit_status == 0
        assert query("SELECT count(*) FROM pg_roles WHERE rolname = %s", role("hr")) == [(1,)]
        assert snapshot() == plain
    for _ in range(2):
        assert call("grant_domain", "hr", remove=True).exit_status == 0
        assert query("SELECT count(*) FROM pg_roles WHERE rolname = %s", role("hr")) == [(0,)]
        assert snapshot() == plain
        assert sorted(query(owners)) == owned
    assert query("SELECT count(*) FROM pg_default_acl") == [(0,)]


def test_printing_runs_nothing(migrated_database: str, call: Call) -> None:
    result = call("grant_domain", "hr", print=True)
    assert result.exit_status == 0, result.stderr
    assert f'CREATE ROLE "{role("hr")}" NOLOGIN;' in result.stdout
    assert "PASSWORD" not in result.stdout.upper().replace('"PASSWORD"', "")
    assert query("SELECT count(*) FROM pg_roles WHERE rolname = %s", role("hr")) == [(0,)]


def test_core_has_no_role(migrated_database: str, call: Call) -> None:
    result = call("grant_domain", "core", apply=True)
    assert result.exit_status == 1
    assert "core has no role of its own" in result.stderr


def test_core_tables_made_later_can_be_referenced(project: Callable[..., Project]) -> None:
    wards = """
    class Migration(migrations.Migration):
        operations = [migrations.CreateModel("Ward", fields=[
            ("id", models.BigAutoField(primary_key=True))], options={"db_table": "wards"})]
    """
    beds = """
    class Migration(migrations.Migration):
        dependencies = [("base", "0001_wards")]
        operations = [migrations.CreateModel("Bed", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("ward", models.ForeignKey("base.Ward", models.CASCADE)),
        ], options={"db_table": '"lab"."beds"'})]
    """
    first = project({"lab": domain_app("lab", migrations={})}, name="first")
    assert first.manage("migrate_domain", "core").returncode == 0
    assert first.manage("grant_domain", "--apply").returncode == 0
    models = 'class Ward(models.Model):\n    class Meta:\n        db_table = "wards"\n'
    bed = (
        "class Bed(models.Model):\n"
        "    ward = models.ForeignKey('base.Ward', models.CASCADE)\n"
        "    class Meta:\n"
        '        db_table = \'"lab"."beds"\'\n'
    )
    second = project(
        {
            "base": plain_app(models=models, migrations={"0001_wards": wards}),
            "lab": domain_app("lab", models=bed, migrations={"0001_beds": beds}),
        },
        name="second",
    )
    result = second.manage("migrate_domain", "--all")
    try:
        assert result.returncode == 0, result.stderr
        assert query(
            "SELECT confrelid::regclass::text FROM pg_constraint"
            " WHERE conrelid = 'lab.beds'::regclass AND contype = 'f'"
        ) == [("wards",)]
        execute("INSERT INTO wards DEFAULT VALUES")
        execute("INSERT INTO lab.beds (ward_id) VALUES (1)")
    finally:
        assert second.manage("grant_domain", "--remove").returncode == 0


EVERY_KIND = """
CREATE TABLE lab.plain (id bigserial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, name text);
CREATE TABLE lab.parts (id int) PARTITION BY RANGE (id);
CREATE TABLE lab.parts_1 PARTITION OF lab.parts FOR VALUES FROM (0) TO (10);
CREATE VIEW lab.seen AS SELECT id FROM lab.plain;
CREATE MATERIALIZED VIEW lab.kept AS SELECT id FROM lab.plain;
CREATE SEQUENCE lab."Free";
CREATE FOREIGN DATA WRAPPER lab_wrapper;
CREATE SERVER lab_server FOREIGN DATA WRAPPER lab_wrapper;
CREATE FOREIGN TABLE lab.far (id int) SERVER lab_server;
CREATE TYPE lab.pair AS (a int, b int);
CREATE TYPE lab.kind AS ENUM ('a', 'b');
CREATE TYPE lab.span AS RANGE (subtype = float8);
CREATE DOMAIN lab.positive AS int CHECK (VALUE > 0);
CREATE FUNCTION lab.same(int, int) RETURNS bool LANGUAGE sql AS 'SELECT $1 = $2';
CREATE PROCEDURE lab.nothing() LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION lab.add_one(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
CREATE AGGREGATE lab.rows(*) (sfunc = lab.add_one, stype = int, initcond = '0');
CREATE AGGREGATE lab.largest(int) (sfunc = int4larger, stype = int);
CREATE OPERATOR lab.=== (leftarg = int, rightarg = int, function = lab.same);
CREATE OPERATOR FAMILY lab.family USING btree;
CREATE OPERATOR CLASS lab.ops FOR TYPE int USING btree AS
    OPERATOR 3 lab.===, FUNCTION 1 btint4cmp(int, int);
CREATE COLLATION lab.plain_c (LC_COLLATE = 'C', LC_CTYPE = 'C');
CREATE CONVERSION lab.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE STATISTICS lab.numbers ON id, n FROM lab.plain;
CREATE TEXT SEARCH DICTIONARY lab.words (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION lab.search (COPY = simple);
"""

OWNERS = """
SELECT s.name, pg_get_userbyid(s.owner) FROM (
    SELECT 'class ' || relname, relowner FROM pg_class WHERE relnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'routine ' || proname, proowner FROM pg_proc WHERE pronamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'type ' || typname, typowner FROM pg_type WHERE typnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'operator ' || oprname, oprowner FROM pg_operator
    WHERE oprnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'class ' || opcname, opcowner FROM pg_opclass WHERE opcnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'family ' || opfname, opfowner FROM pg_opfamily WHERE opfnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'collation ' || collname, collowner FROM pg_collation
    WHERE collnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'conversion ' || conname, conowner FROM pg_conversion
    WHERE connamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'statistics ' || stxname, stxowner FROM pg_statistic_ext
    WHERE stxnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'dictionary ' || dictname, dictowner FROM pg_ts_dict
    WHERE dictnamespace = 'lab'::regnamespace
    UNION ALL
    SELECT 'search ' || cfgname, cfgowner FROM pg_ts_config
    WHERE cfgnamespace = 'lab'::regnamespace
) AS s (name, owner) WHERE pg_get_userbyid(s.owner) <> %s
"""


def test_everything_that_has_an_owner_gets_the_role(project: Callable[..., Project]) -> None:
    made = project({"lab": domain_app("lab")})
    execute("CREATE SCHEMA lab")
    execute(EVERY_KIND)
    name = f"{made.database}_lab_domain"
    try:
        result = made.manage("grant_domain", "lab", "--apply")
        assert result.returncode == 0, result.stderr
        assert query(OWNERS, name) == []
        again = made.manage("grant_domain", "lab", "--print").stdout.splitlines()
        assert [line for line in again if "OWNER TO" in line] == [
            f'ALTER SCHEMA "lab" OWNER TO "{name}";'
        ]
    finally:
        made.manage("grant_domain", "lab", "--remove")
