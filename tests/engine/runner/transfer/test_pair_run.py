"""Both halves of a transfer run together, whichever domain is migrated, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.engine.runner.transfer.conftest import SIDES, SLOW, Exchange, recorded
from tests.support import exchange
from tests.support.catalog import execute, query, snapshot
from tests.support.exchange import Way
from tests.support.projects import Project
from tests.support.proxy import Proxy, at_commit
from tests.support.servers import TestServer

BOTH_SIDES = ("source", "target")
WAYS_AND_SIDES = [
    ("to core", "source"),
    ("to a domain", "target"),
    ("to the domain", "source"),
    *[
        pytest.param(way, side, marks=SLOW)
        for way, side in (
            ("to core", "target"),
            ("to a domain", "source"),
            ("to the domain", "target"),
        )
    ],
]
FILES = """
SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_class c
WHERE c.relname LIKE 'companies%' AND c.relkind IN ('r', 'i')
    AND c.relnamespace <> to_regnamespace('other') ORDER BY 1
"""
POINTING = """
SELECT (SELECT count(*) FROM notes n JOIN django_content_type c ON c.id = n.kind_id
    WHERE c.app_label = '{app}' AND c.model = 'company'),
(SELECT array_agg(p.codename::text) FROM auth_group_permissions g
    JOIN auth_permission p ON p.id = g.permission_id
    JOIN django_content_type c ON c.id = p.content_type_id WHERE c.app_label = '{app}'),
(SELECT count(*) FROM django_content_type WHERE model = 'company'),
(SELECT count(*) FROM auth_permission WHERE codename LIKE '%company')
"""


@pytest.mark.parametrize(("way", "side"), WAYS_AND_SIDES, indirect=["way"])
def test_forwards_back_and_forwards_with_rows(filled: Exchange, side: str) -> None:
    domain = getattr(filled, side)
    filled.surrounded()
    before, files = snapshot(include_privileges=True), query(FILES)
    rows = query(f"SELECT * FROM {filled.old}.companies ORDER BY id")
    (result,) = filled.run(filled.after, domain)
    assert {step["name"] for step in result["applied"]} == {
        "0003_transfer_company",
        "0003_receive_company",
    }
    assert filled.place() == filled.new
    assert query(FILES) == files, "no row was copied"
    assert query(f"SELECT * FROM {filled.new}.companies ORDER BY id") == rows
    assert query(POINTING.format(app=filled.apps[1])) == [(1, ["change_company"], 1, 4)]
    assert query("SELECT count(*) FROM other.companies") == [(0,)]
    _check_surroundings(filled)

    filled.back(domain)
    assert filled.place() == filled.old
    assert snapshot(include_privileges=True) == before
    assert query(FILES) == files
    assert query(POINTING.format(app=filled.apps[0])) == [(1, ["change_company"], 1, 4)]

    filled.run(filled.after, filled.target if side == "source" else filled.source)
    assert filled.place() == filled.new
    checked = filled.after.manage("makemigrations", "--check", "--dry-run")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _check_surroundings(found: Exchange) -> None:
    """What belongs to the table is where the table is, and works."""
    execute(f"INSERT INTO {found.new}.companies (code, size) VALUES ('new', 1)")
    execute(f"UPDATE {found.new}.companies SET size = 5 WHERE code = 'new'")
    assert query(f"SELECT id, size, mood::text FROM {found.new}.companies WHERE code = 'new'") == [
        (3, 6, "ok")
    ]
    execute(f"DELETE FROM {found.new}.companies WHERE code = 'new'")
    execute(f"ALTER SEQUENCE {found.new}.companies_id_seq RESTART WITH 3")
    homes = query(
        "SELECT stxnamespace::regnamespace::text FROM pg_statistic_ext"
        " UNION ALL SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'mood'"
        " UNION ALL SELECT pronamespace::regnamespace::text FROM pg_proc WHERE proname = 'grow'"
    )
    assert homes == [(found.new,)] * 3
    published = query(
        "SELECT pubname FROM pg_publication_tables WHERE schemaname = %s"
        " AND tablename = 'companies' ORDER BY 1",
        found.new,
    )
    assert published == [("by_schema",), ("by_table",)]


@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        pytest.param(("migrate_domain", "--all"), marks=SLOW),
        ("migrate_domain", "--all", "--jobs", "2"),
    ],
)
def test_an_empty_database(empty: Exchange, command: tuple[str, ...]) -> None:
    migrated = empty.later.manage(*command)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    assert empty.place() == empty.new
    for app in exchange.SCHEMAS:
        history = "public.django_migrations" if app == "shop" else f"{app}.django_migrations_{app}"
        names = query(f"SELECT max(name) FROM {history} WHERE app = %s", app)
        assert names[0][0].endswith("_later")
    labels = query("SELECT app_label FROM django_content_type WHERE model = 'company'")
    assert labels == [(empty.apps[1],)]
    permissions = query("SELECT count(*) FROM auth_permission WHERE codename LIKE '%company'")
    assert permissions == [(4,)]
    verified = empty.later.manage("verify_domain")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_one_domain_after_the_other_on_an_empty_database(empty: Exchange) -> None:
    """Each run says what the other domain needs, and what comes before has been applied."""
    first, second = "core", "lab"
    if empty.way == "to a domain":
        empty.run(empty.later, "core")
        first = "ward"
    (result,) = empty.run(empty.later, first, status=1)
    assert result["error"]["code"] == "dependency_not_applied"
    assert result["status"] == "failed"
    own, other = ("0003_receive_company", "0003_transfer_company")
    app, other_app = ("ward" if first == "ward" else "shop"), "lab"
    if empty.way == "to the domain":
        own, other = other, own
    assert result["error"]["message"] == (
        f"{app}.{own} runs together with {other_app}.{other}, which needs lab.0002_more of lab,"
        " which is not applied."
    )
    assert "manage.py migrate_domain lab" in result["error"]["hint"]
    assert result["applied"][-1] == {**result["applied"][-1], "app": app, "name": "0002_more"}
    (again,) = empty.run(empty.later, first, status=1)
    assert (again["status"], again["applied"]) == ("refused", [])
    empty.run(empty.later, second)
    assert empty.place() == empty.new
    (last,) = empty.run(empty.later, first)
    assert [step["name"] for step in last["applied"]] == ["0004_later"]


def test_reverting_is_refused_while_the_other_domain_has_more(filled: Exchange) -> None:
    filled.run(filled.later, "--all")
    before = snapshot()
    (result,) = filled.run(filled.later, filled.source, f"{filled.apps[0]}.0002_more", status=1)
    needed = f"{filled.apps[1]}.0004_later"
    assert result["error"]["message"] == (
        f"{filled.apps[0]}.0003_transfer_company can only be reverted together with"
        f" {filled.apps[1]}.0003_receive_company, on which {needed} of {filled.target} depends."
    )
    assert snapshot() == before
    assert filled.place() == filled.new
    filled.run(filled.later, filled.target, f"{filled.apps[1]}.0003_receive_company")
    filled.run(filled.later, filled.source, f"{filled.apps[0]}.0002_more")
    assert filled.place() == filled.old


@pytest.mark.parametrize("side", BOTH_SIDES)
def test_a_rollback_reverts_both(filled: Exchange, side: str) -> None:
    filled.run(filled.after, filled.target)
    filled.run(filled.after, getattr(filled, side), "--rollback")
    assert filled.place() == filled.old


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("option", ["--plan", "--dry-run", "--rehearse"])
def test_trying_it_changes_nothing(filled: Exchange, side: str, option: str) -> None:
    filled.surrounded()
    before = snapshot(include_privileges=True)
    (result,) = filled.run(filled.after, getattr(filled, side), option)
    assert result["status"] == "planned"
    if option != "--plan":
        (step,) = result["steps"]
        old, new = (f'"{schema}"' for schema in (filled.old, filled.new))
        assert f"ALTER TABLE {old}.companies SET SCHEMA {new};" in step["sql"]
        assert not result["not_rehearsed"]
    assert snapshot(include_privileges=True) == before
    assert filled.place() == filled.old


@pytest.mark.parametrize("option", [pytest.param("--dry-run", marks=SLOW), "--rehearse"])
def test_trying_all_domains_changes_nothing(filled: Exchange, option: str) -> None:
    before = snapshot(include_privileges=True)
    result = filled.after.manage("migrate_domain", "--all", option)
    assert result.returncode == 0, result.stdout + result.stderr
    # Between two domains, each is tried alone.
    times = 2 if filled.way == "to a domain" else 1
    assert result.stdout.count("rolled back") == times
    assert snapshot(include_privileges=True) == before
    assert filled.place() == filled.old


@pytest.mark.parametrize("side", BOTH_SIDES)
def test_half_of_it_by_hand_is_refused(filled: Exchange, side: str) -> None:
    app, name = {
        "source": (filled.apps[0], "0003_transfer_company"),
        "target": (filled.apps[1], "0003_receive_company"),
    }[side]
    history = "public.django_migrations" if app == "shop" else f"{app}.django_migrations_{app}"
    execute(f"INSERT INTO {history} (app, name, applied) VALUES (%s, %s, now())", app, name)
    other = filled.target if side == "source" else filled.source
    (result,) = filled.run(filled.after, other, status=1)
    assert f"{app}.{name} is " in result["error"]["message"]
    assert "--mark-unapplied" in result["error"]["hint"]
    assert query(f"SELECT count(*) FROM {filled.old}.companies") == [(2,)]


@pytest.mark.parametrize("side", SIDES)
def test_a_lost_answer_to_the_commit_counts_both(
    filled: Exchange, write: Callable[..., Project], postgres_server: TestServer, side: str
) -> None:
    with closing(Proxy(postgres_server)) as proxy:
        project = write("through", host="127.0.0.1", port=proxy.port)
        proxy.decide = at_commit(b"0003_transfer_company", "cut the answer")
        (result,) = filled.run(project, getattr(filled, side), status=75)
    assert "It was committed" in result["error"]["hint"]
    assert {step["name"] for step in result["applied"]} == {
        "0003_transfer_company",
        "0003_receive_company",
    }
    assert filled.place() == filled.new


@pytest.mark.parametrize("side", SIDES)
def test_faked_both_are_recorded_where_the_table_is_in_its_new_place(
    filled: Exchange, side: str
) -> None:
    domain = getattr(filled, side)
    (refused,) = filled.run(filled.after, domain, "--fake", status=1)
    assert f"{filled.new}.companies" in refused["error"]["message"]
    assert filled.place() == filled.old
    for name in ("companies", "companies_groups"):
        execute(f"ALTER TABLE {filled.old}.{name} SET SCHEMA {filled.new}")
    filled.run(filled.after, domain, "--fake")
    for app, name in ((filled.apps[0], "transfer"), (filled.apps[1], "receive")):
        assert recorded(app, f"0003_{name}_company")
    assert query(f"SELECT count(*) FROM {filled.new}.companies") == [(2,)]
    assert query(POINTING.format(app=filled.apps[1])) == [(1, ["change_company"], 1, 4)]


@pytest.mark.parametrize("side", SIDES)
def test_a_faked_return_is_refused_while_the_table_is_in_its_new_place(
    filled: Exchange, side: str
) -> None:
    app = filled.apps[0] if side == "source" else filled.apps[1]
    target = (getattr(filled, side), f"{app}.0002_more", "--fake")
    filled.run(filled.after, filled.target)
    (refused,) = filled.run(filled.after, *target, status=1)
    assert f"has returned {filled.old}.companies" in refused["error"]["message"]
    assert filled.place() == filled.new
    for name in ("companies", "companies_groups"):
        execute(f"ALTER TABLE {filled.new}.{name} SET SCHEMA {filled.old}")
    filled.run(filled.after, *target)
    assert not recorded(filled.apps[0], "0003_transfer_company")
    assert not recorded(filled.apps[1], "0003_receive_company")
    assert query(POINTING.format(app=filled.apps[0])) == [(1, ["change_company"], 1, 4)]


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
def test_what_was_moved_by_hand_returns_with_what_only_it_uses(filled: Exchange) -> None:
    """No run has recorded what followed the table, so that what only it uses does."""
    execute(
        "CREATE TYPE lab.mood AS ENUM ('ok'); ALTER TABLE lab.companies ADD mood lab.mood;"
        "CREATE TYPE public.mood AS ENUM ('decoy')"
    )
    before = snapshot(include_privileges=True)
    for item in ("TABLE lab.companies", "TABLE lab.companies_groups", "TYPE lab.mood"):
        execute(f"ALTER {item} SET SCHEMA ward")
    execute("UPDATE django_content_type SET app_label = 'ward' WHERE model = 'company'")
    filled.run(filled.after, "ward", "--fake")
    filled.back("lab")
    assert filled.place() == "lab"
    assert snapshot(include_privileges=True) == before


def test_what_the_table_has_got_since_returns_with_it_unless_it_may_stay(filled: Exchange) -> None:
    """A domain may use a type of core; nobody else may use one of a domain."""
    filled.run(filled.after, filled.target)
    execute(
        f"CREATE TYPE {filled.new}.since AS ENUM ('ok');"
        "CREATE SCHEMA other; CREATE TYPE other.since AS ENUM ();"
        f"ALTER TABLE {filled.new}.companies ADD since {filled.new}.since"
    )
    filled.back(filled.target)
    assert filled.place() == filled.old
    homes = query("SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'since'")
    assert sorted(homes) == sorted(
        [("other",), ("public" if filled.new == "public" else filled.old,)]
    )


@pytest.mark.parametrize("way", ["to core"], indirect=True)
def test_a_run_by_djangos_own_executor(filled: Exchange) -> None:
    """As of a package that has a migrate command of its own."""
    script = """
import django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
executor.migrate(executor.loader.graph.leaf_nodes())
executor = MigrationExecutor(connection)
executor.migrate([("lab", "0002_more")])
"""
    path = filled.after.write("run.py", script)
    half, rest = script.rsplit("executor = MigrationExecutor(connection)", 1)
    path.write_text(half)
    filled.after.python("run.py")
    assert filled.place() == filled.new
    path.write_text(script)
    filled.after.python("run.py")
    assert filled.place() == filled.old
    assert rest


Refusal = tuple[Way, str, str]
REFUSED: list[Refusal] = [
    (
        "to core",
        "ALTER TABLE lab.companies ADD item_id bigint REFERENCES lab.items",
        "the foreign key companies_item_id_fkey of lab.companies to lab.items would cross the"
        ' boundary of "core"',
    ),
    (
        "to a domain",
        "ALTER TABLE lab.items ADD company_id bigint REFERENCES lab.companies",
        "the foreign key items_company_id_fkey of lab.items to lab.companies would cross the"
        ' boundary of "ward"',
    ),
    (
        "to a domain",
        "CREATE VIEW lab.names AS SELECT code FROM lab.companies",
        'lab.names would read a table of the domain "ward"',
    ),
    (
        "to core",
        "CREATE TYPE lab.mood AS ENUM ('ok'); ALTER TABLE lab.companies ADD mood lab.mood;"
        "ALTER TABLE lab.items ADD mood lab.mood",
        "the tables need the type lab.mood, which others use, too",
    ),
    (
        "to core",
        "CREATE TABLE public.companies (id int)",
        "lab.companies to public.companies cannot be moved: the name is taken",
    ),
    (
        "to the domain",
        "ALTER TABLE notes ADD company_id bigint REFERENCES companies",
        "the foreign key notes_company_id_fkey of notes to companies would cross the boundary of"
        ' "lab"',
    ),
]


@pytest.mark.parametrize(("way", "sql", "message"), REFUSED, indirect=["way"])
def test_what_would_cross_the_boundary_is_refused(filled: Exchange, sql: str, message: str) -> None:
    execute(sql)
    before = snapshot(include_privileges=True)
    for domain in (filled.source, filled.target):
        (result,) = filled.run(filled.after, domain, status=1)
        assert message in result["error"]["message"]
        assert result["error"]["hint"].endswith("Nothing was changed.")
    assert snapshot(include_privileges=True) == before
    names: list[tuple[Any, ...]] = query(f"SELECT code FROM {filled.old}.companies ORDER BY 1")
    assert names == [("A",), ("B",)]


@pytest.mark.parametrize("way", ["to core"], indirect=True)
def test_a_child_that_another_domain_has_stays_where_it_is(filled: Exchange) -> None:
    execute(
        "CREATE TABLE ward.child (more int) INHERITS (lab.companies);"
        "CREATE TABLE public.child (id int)"
    )
    filled.run(filled.after, "lab")
    assert query("SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits") == [
        ("ward.child", "companies")
    ]
    (result,) = filled.run(filled.after, "lab", "lab.0002_more", status=1)
    assert (
        "the table ward.child inherits from the table public.companies"
        in (result["error"]["message"])
    )


@pytest.mark.parametrize(
    "way", ["to core", pytest.param("to the domain", marks=SLOW)], indirect=True
)
def test_functions_that_name_the_table_are_named(filled: Exchange) -> None:
    filled.surrounded()
    execute(
        f"CREATE FUNCTION count_them() RETURNS bigint LANGUAGE plpgsql AS"
        f" $$ BEGIN RETURN (SELECT count(*) FROM {filled.old}.companies); END $$;"
        "CREATE FUNCTION other.none_of_them() RETURNS text LANGUAGE sql AS"
        " $$ SELECT 'other companies_size' $$"
    )
    result = filled.after.manage("migrate_domain", filled.source)
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = [line for line in result.stderr.splitlines() if "Warning" in line]
    assert line.strip().startswith("Warning: the text of public.count_them() may name ")
    assert line.endswith(f"which is in {filled.new} now: create it again with the new name.")


@pytest.mark.parametrize("way", ["to core"], indirect=True)
def test_a_revert_says_that_it_drops_what_it_moves_back(filled: Exchange) -> None:
    filled.run(filled.later, "--all")

    (refused,) = filled.run(filled.later, "lab", "zero", status=1)
    assert refused["error"]["message"] == (
        'shop.0004_later of core depends on what would be reverted in the domain "lab".'
    )
    filled.run(filled.later, "core", "shop.0003")
    result = filled.later.manage("migrate_domain", "lab", "zero", "--noinput")
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = [line for line in result.stdout.splitlines() if "This reverts" in line]
    assert "5 migrations and drops 3 tables" in line
    named = set(line.replace(")", ",").replace("(", ",").replace(" ", "").split(","))
    assert {"lab.items", "public.companies", "public.companies_groups"} <= named
    assert query("SELECT 1 FROM pg_tables WHERE tablename = 'companies'") == []
