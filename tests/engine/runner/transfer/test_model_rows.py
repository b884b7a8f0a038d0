"""What belongs to a model and not to its table: content types, seeds, roles, privileges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections

from tests.engine.runner.transfer.conftest import CORE_FIRST, SLOW, Exchange
from tests.support.catalog import execute, query, snapshot

TYPES = "SELECT id, app_label FROM django_content_type WHERE model = 'company' ORDER BY id"
NEWER = """
INSERT INTO django_content_type (app_label, model) VALUES (%s, 'company');
INSERT INTO auth_permission (content_type_id, codename, name)
    SELECT currval('django_content_type_id_seq'), codename, name FROM auth_permission p
    JOIN django_content_type c ON c.id = p.content_type_id
    WHERE c.app_label = %s AND c.model = 'company';
"""
OWNERS = """
SELECT DISTINCT tableowner::text FROM pg_tables WHERE tablename LIKE 'companies%%'
    AND schemaname = %s
"""


@pytest.mark.parametrize("way", ["to core"], indirect=True)
def test_a_content_type_that_newer_code_created_goes(filled: Exchange) -> None:
    ((number, _),) = query(TYPES)
    execute(NEWER, "shop", "lab")
    filled.run(filled.after, "lab")
    assert query(TYPES) == [(number, "shop")]
    assert query("SELECT count(*) FROM auth_permission WHERE codename LIKE '%company'") == [(4,)]
    assert query("SELECT count(*) FROM auth_group_permissions") == [(1,)]


@pytest.mark.parametrize("way", CORE_FIRST, indirect=True)
def test_what_other_code_wrote_about_the_model_follows(filled: Exchange) -> None:
    ((number, _),) = query(TYPES)
    note = "INSERT INTO notes (kind_id, number) SELECT max(id), %s FROM django_content_type"
    noted = f"SELECT number FROM notes WHERE kind_id = {number} ORDER BY number"
    execute(NEWER, filled.apps[1], "lab")
    execute(note, 7)
    filled.run(filled.after, "lab")
    assert query(TYPES) == [(number, filled.apps[1])]
    assert query(noted) == [(2,), (7,)]
    execute("INSERT INTO django_content_type (app_label, model) VALUES ('lab', 'company')")
    execute(note, 8)
    filled.back("lab")
    assert query(TYPES) == [(number, "lab")]
    assert query(noted) == [(2,), (7,), (8,)]
    assert query("SELECT count(*) FROM auth_group_permissions") == [(1,)]


@pytest.mark.parametrize("way", ["to core"], indirect=True)
@pytest.mark.parametrize(
    ("use", "place"),
    [
        pytest.param(
            "CREATE TABLE kinds (kind_id int UNIQUE REFERENCES django_content_type);"
            "INSERT INTO kinds SELECT max(id) FROM django_content_type",
            "public.kinds.kind_id",
            marks=SLOW,
        ),
        pytest.param(
            "CREATE TABLE ward.kinds (kind_id int REFERENCES django_content_type);"
            "INSERT INTO ward.kinds SELECT max(id) FROM django_content_type",
            "ward.kinds.kind_id",
            marks=SLOW,
        ),
        (
            "INSERT INTO auth_group_permissions (group_id, permission_id)"
            " SELECT 1, max(id) FROM auth_permission",
            "public.auth_group_permissions.permission_id",
        ),
    ],
)
def test_a_second_content_type_in_use_is_refused(filled: Exchange, use: str, place: str) -> None:
    execute(NEWER, "shop", "lab")
    execute(use)
    before = query(TYPES)
    (result,) = filled.run(filled.after, "lab", status=1)
    assert result["error"]["message"] == (
        f'There are two content types, and "shop.company" is used in {place}.'
    )
    assert query(TYPES) == before
    assert filled.place() == "lab"


@pytest.mark.parametrize("way", CORE_FIRST, indirect=True)
def test_the_records_of_seeds_go_along(filled: Exchange) -> None:
    source, target = filled.apps
    for app, project in ((source, filled.before), (target, filled.after)):
        folder = project.path / app / "seeds"
        folder.mkdir()
        (folder / "001_companies.csv").write_text("# model: Company\ncode,size\nC,3\n")
    seeded = filled.before.manage("seed_domain", source)
    assert seeded.returncode == 0, seeded.stdout + seeded.stderr
    execute(f"UPDATE {filled.old}.companies SET size = 4 WHERE code = 'C'")
    before = snapshot()[filled.old]
    filled.run(filled.after, filled.source)
    ledger = {"shop": "public.django_seeds_core", "ward": "ward.django_seeds_ward"}[target]
    names = [f'"{filled.new}"."{name}"' for name in ("companies", "companies_id_seq")]
    tables = "ARRAY(SELECT jsonb_array_elements_text(tables))"
    assert query(f"SELECT app, name, {tables} FROM {ledger}") == [
        (target, "001_companies.csv", names)
    ]
    assert query(f'SELECT relation, key, "values"::text FROM {ledger}_rows') == [
        (f'"{filled.new}"."companies"', '["C"]', '{"size": 3}')
    ]
    again = filled.after.manage("seed_domain", filled.target)
    assert again.returncode == 0, again.stdout + again.stderr
    kept = query(f"SELECT size FROM {filled.new}.companies WHERE code = 'C'")
    assert kept == [(4,)], "what was changed locally is recognized"
    filled.back(filled.source)
    assert query("SELECT app FROM lab.django_seeds_lab") == [("lab",)]
    assert query(f"SELECT count(*) FROM {ledger}") == [(0,)]
    assert snapshot()[filled.old] == before


@pytest.fixture
def reader(filled: Exchange) -> Iterator[str]:
    """A role that may read the table."""
    name = f"reader_{connections['default'].settings_dict['NAME']}"
    execute(
        f"CREATE ROLE {name}; GRANT USAGE ON SCHEMA {filled.old} TO {name};"
        f"GRANT SELECT ON {filled.old}.companies TO {name}"
    )
    yield name
    execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
def test_who_may_read_the_table_may_read_it_afterwards(filled: Exchange, reader: str) -> None:
    before = snapshot(include_privileges=True)
    filled.run(filled.after, "lab", "--rehearse")
    filled.run(filled.after, "lab")
    execute(f"SET ROLE {reader}; SELECT count(*) FROM ward.companies; RESET ROLE")
    filled.back("ward")
    assert snapshot(include_privileges=True) == before


@pytest.mark.parametrize("way", ["to a domain"], indirect=True)
def test_who_could_not_reach_the_table_does_not_get_into_the_new_schema(
    filled: Exchange, reader: str
) -> None:
    execute(
        f"REVOKE USAGE ON SCHEMA lab FROM {reader}; GRANT SELECT ON lab.companies TO PUBLIC;"
        "CREATE TABLE ward.beds (id int); GRANT SELECT ON ward.beds TO PUBLIC"
    )
    filled.run(filled.after, "lab")
    assert query("SELECT has_schema_privilege(%s, 'ward', 'USAGE')", reader) == [(False,)]


def test_roles_of_domains_own_what_their_domain_has(filled: Exchange) -> None:
    granted = filled.before.manage("grant_domain", "lab", "ward", "--apply")
    assert granted.returncode == 0, granted.stdout + granted.stderr
    try:
        ((login,),) = query("SELECT current_user::text")
        owners = {"public": login}
        for schema in ("lab", "ward"):
            owners[schema] = query(
                "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = %s", schema
            )[0][0]
        assert query(OWNERS, filled.old) == [(owners[filled.old],)]
        result = filled.after.manage("migrate_domain", filled.source)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "manage.py grant_domain" in result.stdout
        assert query(OWNERS, filled.new) == [(owners[filled.new],)]
        again = filled.after.manage("grant_domain", "lab", "ward", "--apply")
        assert again.returncode == 0, again.stdout + again.stderr
        filled.back(filled.target)
        assert query(OWNERS, filled.old) == [(owners[filled.old],)]
    finally:
        removed = filled.before.manage("grant_domain", "lab", "ward", "--remove")
        assert removed.returncode == 0, removed.stdout + removed.stderr
