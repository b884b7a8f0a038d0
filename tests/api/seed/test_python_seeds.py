"""Seeds in Python, and the boundary that every seed is held to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.seed.conftest import Write, counts, fail, forms, seed
from tests.support.catalog import execute, query
from tests.support.commands import call

pytestmark = pytest.mark.usefixtures("migrated_database")

SEED = "inventory/seeds/010_custom.py"
USES = (
    "A domain may depend only on itself and core. Keep the other's id in a"
    " DomainReference and resolve it in code, or"
    " share the table in core."
)


def python(seeds: Write, body: str, head: str = "") -> None:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    seeds("010_custom.py", f"{head}\ndef seed(context):\n{lines}\n")


def test_a_seed_in_python(seeds: Write) -> None:
    seeds("helpers.py", "FORMS = ['TAB', 'CAP']\n")
    python(
        seeds,
        """\
form = context.get_model("DosageForm")
assert form is context.get_model("inventory.DosageForm")
assert context.get_model("core.Role")._meta.db_table == "roles"
assert (context.domain, context.tags, context.using) == ("inventory", ("demo",), "default")
for code in ("TAB", "CAP"):
    form.objects.create(code=code, name=code)
form.objects.filter(code="CAP").update(name="Capsule")
context.upsert("Location", [{"code": "A", "name": "A"}, {"code": "B", "name": "B", "parent": "A"}])
""",
    )
    assert counts("--tag", "demo") == (4, 1, 0)
    assert seed("--tag", "demo")["status"] == "unchanged"
    assert forms() == {"TAB": "TAB", "CAP": "Capsule"}


def test_upsert_keeps_local_changes(seeds: Write) -> None:
    body = 'context.upsert("DosageForm", [{"code": "A", "name": "%s"}], key="code")'
    python(seeds, body % "One")
    seed()
    execute("UPDATE inventory.dosage_forms SET name = 'Mine'")
    python(seeds, body % "Two")
    assert counts() == (0, 0, 1)
    assert forms() == {"A": "Mine"}


def test_upsert_names_the_bad_row(seeds: Write) -> None:
    rows = '[{"code": "A", "name": "A"}, {"code": "B", "name": ""}]'
    python(seeds, f'context.upsert("DosageForm", {rows})')
    assert fail() == (f"{SEED}: row 2 of inventory.DosageForm: name: This field cannot be blank.")
    assert forms() == {}


WRITES = """\
from django.db import connection
connection.cursor().execute("{}")
context.get_model("DosageForm").objects.create(code="A", name="A")
"""

REFUSED = {
    "writes another domain": (
        "INSERT INTO hr.positions (code, title_en, title_th, is_active) VALUES ('X','X','X',true)",
        'took RowExclusiveLock on hr.positions, which belongs to the domain "hr".',
        USES,
    ),
    "reads another domain": (
        "SELECT count(*) FROM hr.positions",
        'took AccessShareLock on hr.positions, which belongs to the domain "hr".',
        USES,
    ),
    "writes core": (
        "INSERT INTO public.roles (code, name, description) VALUES ('x', 'x', '')",
        "took RowExclusiveLock on public.roles, which belongs to core.",
        "Write writes_core: true in the seed (writes_core = True in Python) if it has to write rows"
        " of core, or move them to a seed of core.",
    ),
    "makes something in public": (
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "made function public.f(), which belongs to core.",
        'Create it in the schema "inventory", qualified; what every domain needs is created in a'
        " migration of core.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_seed_beyond_its_boundary_is_refused(seeds: Write, case: str) -> None:
    statement, did, hint = REFUSED[case]
    python(seeds, WRITES.format(statement))

    assert fail() == f"The seed {SEED} is refused: it {did} {hint}"

    assert forms() == {}
    assert query("SELECT count(*) FROM hr.positions") == [(0,)]
    assert query("SELECT count(*) FROM public.roles WHERE code = 'x'") == [(0,)]
    assert query("SELECT name FROM inventory.django_seeds_inventory") == []
    assert query(
        "SELECT status, error <> '' FROM inventory.django_migrations_inventory_journal"
        " WHERE direction = 'seed'"
    ) == [("failed", True)]


def test_get_model_of_another_domain(seeds: Write) -> None:
    python(seeds, 'context.get_model("hr.Position")')
    assert fail() == (
        'hr.Position belongs to the domain "hr", not to "inventory". Seed it in a seed of hr.'
    )


def test_writes_core__python(seeds: Write) -> None:
    body = 'context.get_model("core.Role").objects.create(code="x", name="x")'
    python(seeds, body, "writes_core = True")
    assert counts() == (1, 0, 0)


def test_writes_core__data(seeds: Write) -> None:
    row = "core.Role: [{code: pharmacist, name: Pharmacist}]"
    seeds("001_roles.yaml", row)
    assert fail().startswith(
        "The seed inventory/seeds/001_roles.yaml is refused: it took RowExclusiveLock on"
        " public.roles, which belongs to core."
    )
    seeds("001_roles.yaml", f"writes_core: true\n{row}")
    assert counts() == (1, 0, 0)


def test_a_seed_of_core_may_not_write_domains(seeds: Write) -> None:
    seeds("001_bad.yaml", "hr.Position: [{code: A, title_en: A, title_th: A}]", "core")
    assert fail(domain="core").startswith(
        'core/seeds/001_bad.yaml, line 1: hr.Position belongs to the domain "hr", not to "core".'
    )


@pytest.fixture
def role(migrated_database: str) -> Iterator[None]:
    assert call("grant_domain", "inventory", "--apply").exit_status == 0
    yield
    assert call("grant_domain", "inventory", "--remove").exit_status == 0


@pytest.mark.usefixtures("role")
def test_seeds_run_as_the_domains_role(seeds: Write) -> None:
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: A}]")
    python(
        seeds,
        """\
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT current_user")
    name = cursor.fetchone()[0]
context.get_model("DosageForm").objects.create(code="ROLE", name=name)
""",
    )
    seed()
    assert forms()["ROLE"].endswith("_inventory_domain")
    owners = query(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class"
        " WHERE relname LIKE 'django_seeds_inventory%' AND relkind = 'r'"
    )
    assert owners[0][0].endswith("_inventory_domain")
    assert query("SELECT current_user = session_user") == [(True,)]


def test_a_database_error_in_python_is_reported_with_its_line(seeds: Write) -> None:
    body = "from django.db import connection\nconnection.cursor().execute('SELECT 1/0')"
    python(seeds, body)
    assert fail() == f"{SEED}, line 4: division by zero."


def test_a_statement_that_would_end_the_transaction_is_not_sent(seeds: Write) -> None:
    body = "from django.db import connection\nconnection.cursor().execute('COMMIT')"
    python(seeds, body)
    assert fail() == (
        f"{SEED}, line 4: TransactionEnded: COMMIT would end the transaction of the run."
    )


def test_a_seed_that_ends_its_transaction_is_refused(seeds: Write) -> None:
    body = "from django.db import connection\nconnection.connection.execute('COMMIT')"
    python(seeds, body)
    assert fail() == (
        f"{SEED}: it ended the transaction that it runs in, so what it did before is committed."
        " Remove COMMIT and ROLLBACK from its SQL, and check the rows that it has written."
    )
    assert query("SELECT name FROM inventory.django_seeds_inventory") == []


def test_a_seed_that_changes_settings(seeds: Write) -> None:
    python(seeds, "context.connection.cursor().execute('SET search_path = hr')")
    result = call("seed_domain", "inventory")
    assert f"Warning: The seed {SEED} has changed settings of the session" in result.stderr
    assert query("SHOW search_path") != [("hr",)]


def test_a_seed_that_loses_its_connection(seeds: Write) -> None:
    body = "context.connection.cursor().execute('SELECT pg_terminate_backend(pg_backend_pid())')"
    python(seeds, body)
    assert fail(status=75).startswith(
        f"The connection to the database was lost in the seed {SEED}: "
    )


def test_a_seed_that_closes_its_connection(seeds: Write) -> None:
    python(seeds, "context.connection.close()")
    assert "closed the connection of the run" in fail() or "the connection is closed" in fail()
    assert query("SELECT name FROM inventory.django_seeds_inventory") == []


def test_a_list_without_rows(seeds: Write) -> None:
    seeds("001_none.yaml", "DosageForm: []\nPackRatio: {rows: []}\n")
    python(seeds, 'assert context.upsert("DosageForm", []).inserted == 0')
    assert counts() == (0, 0, 0)


def test_deferred_constraints_are_checked_in_the_seed(seeds: Write) -> None:
    python(
        seeds,
        """\
from django.db import connection
connection.cursor().execute(
    "INSERT INTO inventory.locations (code, name, kind, storage, is_active, parent_id)"
    " VALUES ('A', 'A', 'ward', 'room', true, 42)")
""",
    )
    assert fail() == (
        f'{SEED}: insert or update on table "locations" violates foreign key constraint "{_key()}".'
    )


def _key() -> str:
    return query(
        "SELECT conname FROM pg_constraint WHERE contype = 'f'"
        " AND conrelid = 'inventory.locations'::regclass"
    )[0][0]
