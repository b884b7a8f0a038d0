"""Views under the old names of a transferred table, for old code during a deployment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connections

from tests.engine.runner.transfer.conftest import CORE_FIRST, SIDES, Exchange
from tests.support.catalog import execute, query, snapshot
from tests.support.projects import Project

Write = Callable[..., Project]
UNTIL = date(2099, 1, 1)
VIEWS = """
SELECT n.nspname || '.' || c.relname, obj_description(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
OLD_CODE = """
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import transaction
Company = apps.get_model({app!r}, "Company")
made = Company.objects.create(code="C")
assert made.pk == 3 and made.size == 0, (made.pk, made.size)
made.groups.add(Group.objects.get())
Company.objects.bulk_create([Company(code="C"), Company(code="D")], ignore_conflicts=True)
Company.objects.bulk_create([Company(code="D", size=4)], update_conflicts=True,
    unique_fields=["code"], update_fields=["size"])
with transaction.atomic():
    locked = Company.objects.select_for_update().get(code="A")
    locked.size += 1
    locked.save()
Company.objects.get(code="B").delete()
Company.objects.create(code="A2", parent=locked)
buyers = Company.objects.filter(groups__name="buyers").order_by("code")
assert [company.code for company in buyers] == ["A", "C"]
"""
RESULT = [("A", 8), ("A2", 0), ("C", 0), ("D", 4)]


@pytest.fixture
def viewed(filled: Exchange, write: Write) -> Exchange:
    """Rows, and a release with the transfer that leaves views."""
    execute("CREATE SCHEMA other; CREATE VIEW other.companies AS SELECT 1 AS one")
    return replace(filled, after=write("viewed", until=UNTIL))


def findings(project: Project) -> list[tuple[str, str, str]]:
    result = project.manage("verify_domain", "--format=json")
    found = json.loads(result.stdout)["findings"]
    return [(item["id"], item["object"], f"{item['message']} {item['hint']}") for item in found]


def views(found: Exchange) -> list[Any]:
    """The views but for the decoy, as they have to be."""
    left = f"{found.apps[0]}.Company"
    return [
        (
            f"{found.old}.{name}",
            f"domain_migrations: stands in for {found.new}.{name} until 2099-01-01, left by the"
            f" transfer of {left}",
        )
        for name in ("companies", "companies_groups")
    ]


def test_old_code_goes_on_until_they_are_dropped(viewed: Exchange, write: Write) -> None:
    before = snapshot(include_privileges=True)
    result = viewed.after.manage("migrate_domain", viewed.source)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (
        f"{viewed.old}.companies and {viewed.old}.companies_groups stand in for the tables, for"
        " older code, until 2099-01-01."
    ) in result.stdout
    decoy = ("other.companies", None)
    assert query(VIEWS) == sorted([*views(viewed), decoy])
    assert viewed.place() == viewed.new
    old = viewed.before.manage("shell", "-c", OLD_CODE.format(app=viewed.apps[0]))
    assert old.returncode == 0, old.stderr
    assert query(f"SELECT code, size FROM {viewed.new}.companies ORDER BY 1") == RESULT
    assert findings(viewed.after) == []
    repair = viewed.after.manage("verify_domain", viewed.source, "--repair-sql")
    assert "There is nothing to repair." in repair.stdout

    over = write("over", until=UNTIL, over=True)
    shown = over.manage("migrate_domain", viewed.source, "--plan")
    assert f"Drop what older code has used instead of tables: {viewed.old}.comp" in shown.stdout
    assert len(query(VIEWS)) == 3
    viewed.run(over, viewed.source)
    assert query(VIEWS) == [decoy]
    assert findings(over) == []
    viewed.run(over, viewed.source, f"{viewed.apps[0]}.0002_more")
    assert viewed.place() == viewed.old
    execute(f"DELETE FROM {viewed.old}.companies_groups WHERE company_id > 1")
    assert snapshot(include_privileges=True) == before


@pytest.mark.parametrize("side", SIDES)
def test_reverting_drops_them_first(viewed: Exchange, side: str) -> None:
    before = snapshot(include_privileges=True)
    for _ in range(2):
        viewed.run(viewed.after, getattr(viewed, side))
        assert len(query(VIEWS)) == 3
        viewed.back(getattr(viewed, side))
        assert viewed.place() == viewed.old
        assert query(VIEWS) == [("other.companies", None)]
    assert snapshot(include_privileges=True) == before


def test_after_their_day_they_are_reported_and_no_longer_created(
    viewed: Exchange, write: Write
) -> None:
    viewed.run(viewed.after, "--all")
    for name in ("companies", "companies_groups"):
        execute(
            f"COMMENT ON VIEW {viewed.old}.{name} IS 'domain_migrations: stands in for"
            f" {viewed.new}.{name} until 2020-01-01, left by the transfer of"
            f" {viewed.apps[0]}.Company'"
        )
    found = findings(viewed.after)
    assert [(number, name) for number, name, _ in found] == [
        ("L008", f"{viewed.old}.companies"),
        ("L008", f"{viewed.old}.companies_groups"),
    ]
    assert found[0][2] == (
        f"The view {viewed.old}.companies, which stands in for {viewed.new}.companies, was wanted"
        f" until 2020-01-01. When no old code runs any more, drop it in a migration of"
        f' {viewed.apps[0]}, with RemoveCompatViews([\'"{viewed.old}"."companies"\']) as its'
        " operation."
    )
    viewed.back(viewed.source)
    late = write("late", until=date(2020, 1, 1))
    result = late.manage("migrate_domain", viewed.source)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (
        f"No view was left as {viewed.old}.companies and {viewed.old}.companies_groups, because"
        " compat_view_until, 2020-01-01, is past: older code does not find the tables any more."
    ) in result.stderr
    assert query(VIEWS) == [("other.companies", None)]


@pytest.mark.parametrize("way", CORE_FIRST, indirect=True)
def test_an_empty_database_has_them_too_until_they_are_dropped(
    empty: Exchange, write: Write
) -> None:
    over = write("over", until=UNTIL, over=True)
    empty.run(over, "--all", "--stage", "before")
    assert query(VIEWS) == views(empty)
    empty.run(over, "--all", "--stage", "after")
    assert query(VIEWS) == []
    proved = over.manage("prove_domain", "lab")
    assert proved.returncode == 0, proved.stdout + proved.stderr


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
def test_row_security_is_not_bypassed(viewed: Exchange, reader: str) -> None:
    execute(
        "ALTER TABLE lab.companies ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY small ON lab.companies USING (code = 'A')"
    )
    viewed.run(viewed.after, "lab")
    execute(f"SET ROLE {reader}")
    assert query("SELECT code FROM lab.companies") == [("A",)]
    execute("RESET ROLE; ALTER VIEW lab.companies RESET (security_invoker)")
    [(name, text)] = [found[1:] for found in findings(viewed.after) if found[0] == "L008"]
    assert name == "lab.companies"
    assert "shows the rows that the table's row security hides" in text


@pytest.fixture
def reader(filled: Exchange) -> Iterator[str]:
    """A role that may read the table, and write one of its columns."""
    name = f"reader_{connections['default'].settings_dict['NAME']}"
    execute(
        f"CREATE ROLE {name}; GRANT USAGE ON SCHEMA {filled.old} TO {name};"
        f"GRANT SELECT, UPDATE (size) ON {filled.old}.companies TO {name}"
    )
    yield name
    execute(f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")


def test_privileges_are_those_on_the_table(viewed: Exchange, reader: str) -> None:
    viewed.run(viewed.after, viewed.target)
    execute(f"SET ROLE {reader}; UPDATE {viewed.old}.companies SET size = 9 WHERE code = 'A'")
    assert query(f"SELECT count(*) FROM {viewed.old}.companies") == [(2,)]
    with pytest.raises(Exception, match="permission denied"):
        execute(f"DELETE FROM {viewed.old}.companies")
    execute("RESET ROLE")


OWN_LOGIN = """
SET ROLE {role};
INSERT INTO {old}.companies (code, size) VALUES ('R', 0);
UPDATE {old}.companies SET size = 2 WHERE code = 'R';
RESET ROLE;
"""


def test_the_role_of_the_old_domain_may_use_them(viewed: Exchange, write: Write) -> None:
    granted = viewed.before.manage("grant_domain", "lab", "ward", "--apply")
    assert granted.returncode == 0, granted.stdout + granted.stderr
    try:
        ((role,),) = query(
            "SELECT quote_ident(nspowner::regrole::text) FROM pg_namespace WHERE nspname = 'lab'"
        )
        used = OWN_LOGIN.format(role=role, old=viewed.old)
        viewed.run(viewed.after, viewed.source)
        if viewed.source == "lab":
            execute(used)
        again = viewed.after.manage("grant_domain", "lab", "ward", "--apply")
        assert again.returncode == 0, again.stdout + again.stderr
        if viewed.source == "lab":
            execute(f"DELETE FROM lab.companies WHERE code = 'R'; {used}")
            assert query(f"SELECT size FROM {viewed.new}.companies WHERE code = 'R'") == [(2,)]
        assert findings(viewed.after) == []
        viewed.run(write("over", until=UNTIL, over=True), viewed.source)
        assert query(VIEWS) == [("other.companies", None)]
    finally:
        execute("RESET ROLE")
        removed = viewed.before.manage("grant_domain", "lab", "ward", "--remove")
        assert removed.returncode == 0, removed.stdout + removed.stderr


TABLE = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0003_transfer_company")]
    operations = [
        migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))],
            options={"db_table": '"lab"."companies"'}),
    ]
"""
TYPE = """
class Migration(migrations.Migration):
    dependencies = [("ward", "0003_receive_company")]
    operations = [migrations.AlterField("Company", "size", models.BigIntegerField(default=0))]
"""


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
@pytest.mark.parametrize(
    ("app", "source"), [("lab", TABLE), ("ward", TYPE)], ids=["a table", "a type"]
)
def test_a_migration_in_their_way_names_them(viewed: Exchange, app: str, source: str) -> None:
    viewed.run(viewed.after, "lab")
    head = "from django.db import migrations, models"
    viewed.after.write(f"{app}/migrations/0004_more.py", f"{head}\n{source}")
    (result,) = viewed.run(viewed.after, app, status=1)
    assert result["error"]["hint"].endswith(
        "The view lab.companies stands in for ward.companies, for older code, until 2099-01-01."
        " Once none runs, drop it in a migration of lab, with"
        ' RemoveCompatViews([\'"lab"."companies"\']) as its operation.'
    )


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
def test_what_is_no_such_view_is_not_dropped(viewed: Exchange, write: Write) -> None:
    viewed.run(viewed.after, "lab")
    execute("DROP VIEW lab.companies; CREATE VIEW lab.companies AS SELECT 1 AS one")
    over = write("over", until=UNTIL, over=True)
    (result,) = viewed.run(over, "lab", status=1)
    assert result["error"]["message"] == (
        "lab.companies cannot be dropped: no transfer has left it in lab as a view for older code."
    )
    assert query("SELECT one FROM lab.companies") == [(1,)]
    execute("DROP VIEW lab.companies")
    viewed.run(over, "lab")


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
def test_halves_that_differ_are_refused(viewed: Exchange) -> None:
    half = viewed.after.path / "ward/migrations/0003_receive_company.py"
    source = half.read_text()
    half.write_text(source.replace("(2099, 1, 1)", "(2099, 2, 1)"))
    for domain in ("lab", "ward"):
        (result,) = viewed.run(viewed.after, domain, status=1)
        assert "compat_view_until is 2099-0" in result["error"]["message"]
        assert result["applied"] == []
    half.write_text(source.replace('"before"', '"after"'))
    (result,) = viewed.run(viewed.after, "lab", status=1)
    assert result["error"]["message"] == (
        "Migration lab.0003_transfer_company cannot be run: its stage is before, and the stage of"
        " ward.0003_receive_company, which runs together with it, is after."
    )
    assert viewed.place() == "lab"


def test_a_view_is_not_taken_for_the_table_that_is_to_have_returned(viewed: Exchange) -> None:
    viewed.run(viewed.after, viewed.source)
    app = viewed.apps[0]
    (refused,) = viewed.run(viewed.after, viewed.source, f"{app}.0002_more", "--fake", status=1)
    assert "has returned" in refused["error"]["message"]
    assert viewed.place() == viewed.new
