"""The contents and the permissions of the engine's admin pages."""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings
from django.urls import NoReverseMatch, reverse

from domain_migrations.admin.journal import read_run
from domain_migrations.admin.migrations import resolve_dependency
from domain_migrations.api.seed.seed_files import seed_files
from domain_migrations.domains import get_domain, get_domains
from domain_migrations.engine.history.seed_ledger import ensure_ledger
from domain_migrations.engine.sessions.advisory_locks import lock_key
from tests.admin.sample_data import FAILED, RUN, member, names
from tests.support.business import make_user, superuser_client
from tests.support.catalog import HISTORIES, execute, query
from tests.support.commands import call

pytestmark = pytest.mark.usefixtures("rollback")

PENDING = "0012_assignment_location"
LAST = "0013_alter_verbose_names"
FINDING = {
    "id": "D001",
    "kind": "drift",
    "object": "hr.employees",
    "message": "It <is> missing.",
    "hint": "Make it.",
}
INITIAL = {"name": "hr", "app": "hr", "migration": "0001_initial"}


def url(page: str, **arguments: str) -> str:
    return reverse(f"admin:domain_migrations_{page}", kwargs=arguments)


def pages() -> dict[str, str]:
    return {
        "overview": url("domain_changelist"),
        "domain": url("detail", name="hr"),
        "core": url("detail", name="core"),
        "migration": url("migration", **INITIAL),
        "unknown": url("migration", name="hr", app="hr", migration="0099_gone"),
        "journal": url("journal"),
        "run": url("run", run=RUN),
    }


@pytest.fixture
def client(sample_data: str) -> Iterator[Client]:
    return superuser_client()


def client_of(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def source(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def rows(text: str, table: str) -> list[list[str]]:
    """Return the text of the cells of a table's rows."""
    body = re.search(rf'<table [^>]*id="{table}".*?<tbody[^>]*>(.*?)</tbody>', text, re.DOTALL)
    assert body, f"There is no table {table}."
    return [
        [plain(cell) for cell in re.findall(r"<t[dh][ >].*?</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr[ >].*?</tr>", body[1], re.DOTALL)
    ]


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\xa0", " ").split())


def commands(text: str) -> list[str]:
    return [plain(found) for found in re.findall(r"<code class=.dm-command.>.*?</code>", text)]


def test_overview_has_a_row_for_each_domain_core_first(client):
    found = {row[0]: row for row in rows(source(client, pages()["overview"]), "domains")}
    assert list(found) == list(HISTORIES)
    assert found["core"][1:4] == ["✓ up to date", "public", "default"]
    assert found["hr"][1:7] == ["✕ failed", "hr", "default", "12", "2", "1"]
    assert found["hr"][7].endswith("failed in 1.5 s by somsri@ward7 as postgres")
    assert found["hr"][8] == "never"
    ((tables,),) = query(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'hr'"
        " AND tablename NOT LIKE 'django_migrations%'"
    )
    assert found["hr"][9] == str(tables)
    assert found["hr"][10].endswith("KB")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"q": "INVENT"}, ["inventory"]),
        ({"q": "public"}, ["core"]),
        ({"state": "failed"}, ["hr"]),
        ({"state": "ok"}, [name for name in HISTORIES if name != "hr"]),
        ({"q": "nothing"}, ["No domain matches."]),
        ({"state": "nonsense", "page": "x"}, list(HISTORIES)),
    ],
)
def test_overview_is_filtered(client, given, expected):
    found = client.get(pages()["overview"], given).content.decode()
    assert [row[0] for row in rows(found, "domains")] == expected


def test_domain_page_has_every_state_in_order(client):
    found = rows(source(client, pages()["domain"]), "migrations")
    assert [row[0] for row in found] == [f"hr.{name}" for name in [*names("hr"), PENDING, LAST]]
    state = {row[0]: row[1] for row in found}
    assert state["hr.0001_initial"] == "✎ edited since ✓ applied"
    assert state["hr.0002_leave"] == "✓ applied"
    assert state["hr.0099_gone"] == "? unknown ✓ applied"
    assert state[f"hr.{PENDING}"] == f"✕ failed ○ pending {FAILED}"
    assert state[f"hr.{LAST}"] == "○ pending"
    assert found[1][2] == "1"
    assert re.search(r"^\d+ ms$|^\d+\.\d s$", found[1][4])
    assert re.search(r"^\S+@\S+ as postgres$|^postgres@\S+$", found[1][5])
    faked = rows(source(client, url("detail", name="finance")), "migrations")
    assert faked[-1][1] == "◇ faked"


def test_domain_page_has_tables_and_their_foreign_keys(client):
    found = {row[0]: row for row in rows(source(client, pages()["domain"]), "tables")}
    assert found["assignments"][3] == "employees, positions"
    assert "public.users" in found["employees"][3]
    assert "django_migrations_hr" not in found


def test_domain_page_has_a_picture_of_its_tables(client):
    text = source(client, pages()["domain"])
    assert re.findall(r"<text [^>]*>([^<]+)</text>", text) == [
        *("assignments", "employees", "leave_balances", "leave_requests", "leave_types"),
        *("positions", "public.cost_centres", "public.users"),
    ]
    pairs = {(row[0], one) for row in rows(text, "tables") for one in row[3].split(", ") if one}
    assert text.count('class="edge edge--foreign_key"') == len(pairs) > 5


def test_tables_of_hidden_domains_are_not_named(sample_data):
    execute("ALTER TABLE hr.positions ADD drug bigint REFERENCES inventory.drugs")
    html = source(client_of(member("hr")), pages()["domain"])
    found = {row[0]: row for row in rows(html, "tables")}
    assert found["positions"][3] == "another domain"
    assert ">another domain</text>" in html
    assert "drugs" not in html
    html = source(client_of(member("hr", "inventory")), pages()["domain"])
    assert ">inventory.drugs</text>" in html


def test_domain_page_explains_a_missing_picture(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    text = plain(source(client, pages()["domain"]))
    assert "pip install 'pygraphviz>=2'" in text


def test_source_is_plain_without_pygments(client, monkeypatch):
    monkeypatch.setattr("domain_migrations.admin.highlight.find_spec", lambda _: None)
    text = source(client, pages()["migration"])
    assert "dm-hl-" not in text
    assert "CREATE TABLE &quot;hr&quot;.&quot;positions&quot;" in text


def test_domain_page_has_the_commands_to_run_next(client):
    assert commands(source(client, pages()["domain"])) == [
        "manage.py migrate_domain hr --plan",
        "manage.py migrate_domain hr",
        "manage.py repair_domain hr --accept-checksum 0001_initial",
        "manage.py repair_domain hr --prune",
        "manage.py verify_domain hr",
    ]


@pytest.mark.parametrize("page", ["overview", "domain", "migration"])
def test_no_page_proposes_to_revert(client, page):
    text = source(client, pages()[page])
    assert "Revert" not in text
    assert "--rollback" not in text


def test_every_page_has_a_command(client):
    assert [name for name, address in pages().items() if not commands(source(client, address))] == (
        []
    )


def test_migration_page_has_source_statements_and_dependencies(client):
    text = source(client, url("migration", name="hr", app="hr", migration=PENDING))
    plain_text = plain(text)
    assert 'ALTER TABLE "hr"."assignments" ADD COLUMN "location_id"' in plain_text
    assert 'ALTER TABLE "hr"."assignments" DROP COLUMN "location_id"' in plain_text
    assert "class Migration(migrations.Migration):" in plain_text
    assert f'href="{url("migration", name="hr", app="hr", migration=names("hr")[10])}"' in text
    assert FAILED in plain_text
    assert '<span class="dm-hl-k">ALTER</span>' in text
    assert commands(text) == [
        f"manage.py migrate_domain hr {PENDING} --plan",
        f"manage.py migrate_domain hr {PENDING}",
        f"manage.py sqlmigrate hr {PENDING}",
    ]


def test_migration_page_has_the_locks_taken(client):
    text = source(client, url("migration", name="hr", app="hr", migration="0002_leave"))
    found = dict(rows(text, "locks"))
    assert found["hr.leave_requests"] == "AccessExclusiveLock"
    assert found["public.users"] == "ShareRowExclusiveLock"


def test_migration_without_a_file_has_a_page(client):
    text = plain(source(client, pages()["unknown"]))
    assert "The migration is not on disk" in text


@pytest.mark.parametrize("migration", ["0042_never", "..", "__init__", "0001\0"])
def test_unknown_migration_has_no_page(client, migration):
    address = url("migration", name="hr", app="hr", migration=migration)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("given", "domains"),
    [
        ({"domain": "finance"}, {"finance"}),
        ({"status": "failed"}, {"hr"}),
        ({"person": "SOMSRI"}, {"hr"}),
        ({"person": "nobody"}, set()),
        ({"until": "2020-01-01"}, set()),
        ({"since": "2020-01-01", "person": "somsri"}, {"hr"}),
        ({"since": "2999-01-01"}, set()),
        ({"since": "soon"}, set(HISTORIES)),
        ({"until": "9999-12-31"}, set(HISTORIES)),
        ({"page": "99"}, set()),
    ],
)
def test_journal_is_filtered(client, given, domains):
    found = rows(client.get(pages()["journal"], given).content.decode(), "runs")
    assert {row[1] for row in found if len(row) > 1} == domains


def test_journal_shows_the_changes_of_each_run(client):
    found = rows(source(client, pages()["journal"] + "?domain=hr"), "runs")
    assert [row[2:4] for row in found] == [
        ["✕ failed", ""],
        ["✓ done", "2 reverted"],
        ["✓ done", "13 applied"],
    ]
    assert found[0][7] == FAILED


def test_journal_reports_invalid_dates(client):
    assert "Write dates as" in source(client, pages()["journal"] + "?since=soon")


def test_run_page_has_its_steps_on_a_timeline(client):
    text = source(client, pages()["run"])
    assert [row[:3] for row in rows(text, "steps")] == [
        ["hr", f"hr.{PENDING}", f"✕ failed {FAILED}"],
        ["hr", "the whole run", f"✕ failed {FAILED}"],
    ]
    assert text.count('<rect x="') == 2
    assert commands(text) == ["manage.py migrate_domain hr"]
    assert client.get(url("run", run=RUN.replace("6f", "7f"))).status_code == 404


@pytest.mark.parametrize("page", list(pages()))
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_are_read_only(client, page, method):
    assert getattr(client, method)(pages()[page]).status_code == 405


@pytest.mark.parametrize("action", ["add", "change", "delete", "history"])
def test_admin_has_no_pages_that_change_objects(action):
    with pytest.raises(NoReverseMatch):
        url(f"domain_{action}", object_id="hr")
    with pytest.raises(NoReverseMatch):
        url(f"domain_{action}")


def test_admin_index_links_to_the_pages_as_view_only(client):
    (app,) = (
        app
        for app in client.get(reverse("admin:index")).context["app_list"]
        if app["app_label"] == "domain_migrations"
    )
    (model,) = app["models"]
    assert model["admin_url"] == pages()["overview"]
    assert model["add_url"] is None
    assert model["view_only"]


@pytest.mark.parametrize("page", list(pages()))
def test_pages_work_under_a_strict_policy(client, page):
    response = client.get(pages()[page])
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy
    text = response.content.decode()
    assert re.findall(r"<[^>]+\s(?:style|on\w+)=", text) == []
    assert re.findall(r"<style|<script(?![^>]* src=)|javascript:", text) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', text) == []
    assert "<script>alert" not in text


def test_error_responses_have_the_policy(client, sample_data):
    answers = [
        client.get(url("detail", name="nowhere")),
        client.post(url("detail", name="hr")),
        client_of(make_user(is_staff=True)).get(pages()["overview"]),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 403]
    for answer in answers:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")


def test_policy_names_the_host_of_static_files(client):
    with override_settings(STATIC_URL="https://static.example.com/it/"):
        policy = client.get(pages()["journal"]).headers["Content-Security-Policy"]
    assert "style-src 'self' https://static.example.com;" in policy


def test_permission_of_one_domain_shows_that_domain_alone(sample_data):
    client = client_of(member("finance"))
    assert [row[0] for row in rows(source(client, pages()["overview"]), "domains")] == ["finance"]
    assert {row[1] for row in rows(source(client, pages()["journal"]), "runs")} == {"finance"}
    runs = client.get(pages()["journal"], {"domain": "hr"}).content.decode()
    assert [row for row in rows(runs, "runs") if len(row) > 1] == []
    refused = [name for name in pages() if name not in ("overview", "journal")]
    assert [client.get(pages()[name]).status_code for name in refused] == [404] * len(refused)
    assert source(client, url("detail", name="finance"))


def test_run_shows_the_visible_domains_only(sample_data):
    ((run,),) = query(
        "SELECT run::text FROM public.django_migrations_core_journal ORDER BY id LIMIT 1"
    )
    every = rows(source(superuser_client(), url("run", run=run)), "steps")
    assert {row[0] for row in every} == set(HISTORIES)
    own = rows(source(client_of(member("hr")), url("run", run=run)), "steps")
    assert {row[0] for row in own} == {"hr"}


def test_dependency_on_a_hidden_domain_is_not_a_link(sample_data):
    text = source(client_of(member("inventory")), url("detail", name="inventory"))
    assert "/domain/core/" not in text


@pytest.mark.parametrize("page", list(pages()))
def test_pages_need_a_permission(sample_data, page):
    assert client_of(make_user(is_staff=True)).get(pages()[page]).status_code == 403
    assert client_of(make_user()).get(pages()[page]).status_code == 302
    assert Client().get(pages()[page]).status_code == 302


def test_admin_index_hides_the_pages_without_a_permission(sample_data):
    index = client_of(make_user(is_staff=True)).get(reverse("admin:index"))
    assert "domain_migrations" not in [app["app_label"] for app in index.context["app_list"]]


def test_overview_shows_the_last_verification(client):
    execute(
        "INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status,"
        " started, seconds, checksum, os_user, host, project_version, engine_version,"
        " django_version, footprint, details, error, sqlstate) VALUES (gen_random_uuid(), 0, '',"
        " '', 'verify', 'failed', '2026-11-20 12:00Z', 1, '', 'u', 'h', '', '', '', '{}', %s, '',"
        " '')",
        json.dumps({"kinds": ["drift"], "count": 1, "findings": [FINDING]}),
    )
    found = {row[0]: row for row in rows(source(client, pages()["overview"]), "domains")}
    assert found["hr"][8] == "✕ 1 finding 2026-11-20 19:00 +07, drift only"
    text = plain(source(client, pages()["domain"]))
    assert "D001 hr.employees: It <is> missing. Make it." in text


def test_domain_names_its_rows_in_the_history_of_core(client):
    execute(
        "INSERT INTO public.django_migrations (app, name, applied)"
        " VALUES ('hr', '0001_initial', now())"
    )
    assert (
        "public.django_migrations records hr.0001_initial, which belong in"
        " hr.django_migrations_hr and are ignored." in plain(source(client, pages()["domain"]))
    )


def test_overview_distinguishes_a_running_run_from_a_killed_one(client, postgres_server):
    execute(
        "INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status,"
        " started, seconds, checksum, os_user, host, project_version, engine_version,"
        " django_version, footprint, details, error, sqlstate) VALUES (gen_random_uuid(), 0, '',"
        " '', 'run', 'running', now(), 0, '', 'u', 'h', '', '', '', '{}', '{}', '', '')"
    )
    found = rows(source(client, pages()["overview"] + "?q=hr"), "domains")
    assert found[0][1] == "… not finished"
    assert found[0][7].split(" +07 ")[1] == "not finished by u@h as postgres"
    ((database,),) = query("SELECT current_database()")
    with postgres_server.connect(database) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [lock_key(database, "hr")])
        found = rows(source(client, pages()["overview"] + "?q=hr"), "domains")
        assert found[0][1] == "▶ running"
        assert found[0][7].split(" +07 ")[1] == "running by u@h as postgres"


def test_swappable_dependency_links_to_the_resolved_migration(client):
    text = source(client, url("migration", name="hr", app="hr", migration="0002_leave"))
    assert f'href="{url("migration", name="core", app="core", migration="0001_initial")}"' in text
    assert "__first__" not in text.partition("dm-source")[0]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("core", "__first__"), "core.0001_initial"),
        (("hr", "__latest__"), f"hr.{LAST}"),
        (("hr", "0002_leave"), "hr.0002_leave"),
        (("nowhere", "__first__"), "nowhere.__first__"),
    ],
)
def test_dependency_is_resolved(key, expected):
    assert str(resolve_dependency(key)) == expected


def test_migrations_restored_from_a_snapshot_share_one_time(client):
    execute(
        'UPDATE hr.django_migrations_hr_journal SET details = \'{"snapshot": "snapshot.sql"}\','
        " seconds = 0.25, started = '2026-11-20 12:00Z'"
        " WHERE direction = 'forwards' AND status = 'done'"
        " AND name IN ('0001_initial', '0002_leave')"
    )
    found = {row[0]: row for row in rows(source(client, pages()["domain"]), "migrations")}
    assert found["hr.0001_initial"][4] == "with snapshot.sql"
    html = source(client, url("migration", **INITIAL))
    assert "restored from snapshot.sql, by" in plain(html)
    assert "2026-11-20 19:00:00 +07 it was restored from snapshot.sql together" in plain(html)
    assert 'id="locks"' not in html
    ((run,),) = query(
        "SELECT run::text FROM hr.django_migrations_hr_journal WHERE name = '0001_initial' LIMIT 1"
    )
    line = read_run([domain for domain in get_domains() if domain.name == "hr"], run)
    together = [step.seconds for step in line[0:100] if step.snapshot]
    assert together == [0.5, 0.5]


def test_pages_write_nothing(client):
    before = query("SELECT count(*) FROM hr.django_migrations_hr_journal")
    for address in pages().values():
        source(client, address)
    assert query("SELECT count(*) FROM hr.django_migrations_hr_journal") == before


def test_domain_page_has_the_seeds(client):
    execute("DROP TABLE IF EXISTS hr.django_seeds_hr, hr.django_seeds_hr_rows")
    html = source(client, pages()["domain"])
    assert [row[:3] for row in rows(html, "seeds")][:2] == [
        ["hr/seeds/001_reference.yaml", "○ pending", ""],
        ["hr/seeds/900_demo.yaml demo only", "○ pending", ""],
    ]
    ensure_ledger(connections["default"], get_domain("hr"))
    for name, checksum, tables in (
        ("001_reference.yaml", seed_files(get_domain("hr"))[0].checksum(), '["hr.positions"]'),
        ("900_demo.yaml", "1:older", "[]"),
        ("005_gone.csv", "1:x", "5"),
    ):
        execute(
            "INSERT INTO hr.django_seeds_hr (app, name, checksum, seeded_at, inserted, updated,"
            " kept, tables) VALUES ('hr', %s, %s, '2026-11-20 12:00Z', 5, 2, 1, %s)",
            *(name, checksum, tables),
        )
    found = {row[0]: row[1:] for row in rows(source(client, pages()["domain"]), "seeds")}
    assert found["hr/seeds/001_reference.yaml"] == [
        *("✓ seeded", "2026-11-20 19:00 +07", "5", "2", "1", "positions")
    ]
    assert found["hr/seeds/900_demo.yaml demo only"][0] == "✎ edited since"
    assert found["hr/seeds/005_gone.csv"][0] == "? unknown"
    assert "manage.py seed_domain hr" not in commands(source(client, pages()["domain"]))
    execute("DELETE FROM hr.django_migrations_hr WHERE name = '0099_gone'")
    assert call("migrate_domain", "hr", verbosity=0).exit_status == 0
    assert "manage.py seed_domain hr" in commands(source(client, pages()["domain"]))


def test_seeds_of_other_tags_are_not_pending(client):
    with override_settings(DOMAIN_MIGRATIONS={**settings.DOMAIN_MIGRATIONS, "SEED_TAGS": ["test"]}):
        html = source(client, pages()["domain"])
    found = {row[0]: row[1] for row in rows(html, "seeds")}
    assert found["hr/seeds/900_demo.yaml demo only"] == "◌ for other tags"


def test_invalid_seed_is_named(client, monkeypatch):
    def broken(file, *_):
        raise file.failed(3, "this is not YAML.")

    monkeypatch.setattr("domain_migrations.admin.seeds._read_file", broken)
    assert "hr/seeds/001_reference.yaml, line 3: this is not YAML." in plain(
        source(client, pages()["domain"])
    )


def test_seeds_are_shown_to_those_who_may_view_the_domain(sample_data):
    client = client_of(member("finance"))
    assert "finance/seeds/001_chart_of_accounts.csv" in source(
        client, url("detail", name="finance")
    )
    assert client.get(pages()["domain"]).status_code == 404
