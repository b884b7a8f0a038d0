"""What staff with the permission of one domain learn of the others: nothing.

The history and the journal of hr are full of the names of other domains, as an attacker or a
mistake would leave them, and each page, search, filter and tampered address is read.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connections
from django.test import Client
from django.urls import reverse

from domain_migrations.admin import migration as migration_page
from domain_migrations.admin.hidden_names import HiddenNames
from domain_migrations.domains import get_domain
from domain_migrations.engine.history.seed_ledger import ensure_ledger
from domain_migrations.models import Domain
from tests.admin.sample_data import FAILED, RUN, member
from tests.support.business import make_user, superuser_client
from tests.support.catalog import execute, query

pytestmark = pytest.mark.usefixtures("rollback")

BASE = "/admin/domain_migrations/domain/"
JOURNAL = "hr.django_migrations_hr_journal"
LEAKS = {
    "guard": "The migration changes the table inventory.drugs of the domain inventory",
    "table": 'Key (drug_id)=(7) is not present in table "drugs"',
    "role": "permission denied for schema INVENTORY",
    "alias": 'nothing of "Finance" was read',
}
HIDDEN = ("inventory", "finance", "drugs", "accounts", "secret")


@pytest.fixture
def client() -> Client:
    """A browser of staff who may view hr only, after hr met other domains in many ways."""
    spoil_hr()
    client = Client()
    client.force_login(member("hr"))
    return client


def spoil_hr() -> None:
    """Put the names of other domains wherever hr's pages read something."""
    execute("ALTER TABLE hr.positions ADD drug bigint CONSTRAINT stray REFERENCES inventory.drugs")
    columns = (
        "(run, batch, app, name, direction, status, started, seconds, checksum, os_user, host,"
        " project_version, engine_version, django_version, footprint, details, error, sqlstate)"
    )
    locks = {
        "inventory.drugs": "AccessShareLock",
        '"inventory"."secret"': "RowExclusiveLock",
        "public.users": "ShareLock",
    }
    finding = {
        "id": "B001",
        "kind": "boundary",
        "object": "hr.positions.stray",
        "message": "The foreign key hr.positions.stray references the table inventory.drugs.",
        "hint": "Ask inventory for inventory.secret.",
    }
    verified = {"kinds": ["boundary"], "count": 1, "findings": [finding]}
    failed = "0012_assignment_location"
    steps = [
        ("0002_leave", "forwards", "done", locks, {}, ""),
        ("", "verify", "failed", {}, verified, ""),
        ("inventory.secret", "transfer", "done", {}, {}, ""),
        *((failed, "forwards", "failed", {}, {}, leak) for leak in LEAKS.values()),
    ]
    for name, direction, status, footprint, details, error in steps:
        execute(
            f"INSERT INTO {JOURNAL} {columns} VALUES (%s, 9, %s, %s, %s, %s, now(), 1, '',"
            " 'somsri', 'ward7', '', '', '', %s, %s, %s, '')",
            *(RUN, "hr" if name else "", name, direction, status),
            *(json.dumps(footprint), json.dumps(details), error),
        )
    execute(
        "INSERT INTO hr.django_migrations_hr (app, name, applied)"
        " VALUES ('inventory', '0001_secret', now())"
    )
    ensure_ledger(connections["default"], get_domain("hr"))
    execute(
        "INSERT INTO hr.django_seeds_hr (app, name, checksum, seeded_at, inserted, updated, kept,"
        " tables) VALUES ('hr', '777_gone.csv', '1:0', now(), 1, 0, 0, %s)",
        json.dumps(['"hr"."employees"', '"inventory"."secret"']),
    )


def visible_text(response: object) -> str:
    """Return a response in lower case, without the names of the site itself."""
    text = response.content.decode()
    text = re.sub(r"<[^>]*>", lambda tag: " ".join(re.findall(r'"([^"]*)"', tag[0])), text)
    return html.unescape(text).lower()


def leaked(text: str) -> list[str]:
    return [word for word in HIDDEN if word in text]


def crawl(client: Client) -> Iterator[tuple[str, str]]:
    """Yield each page that links lead to from the overview, and its text."""
    seen, queue = set(), [BASE, *(f"{BASE}json/{name}/" for name in ("status", "journal", "map"))]
    while queue:
        address = queue.pop()
        if address in seen:
            continue
        seen.add(address)
        response = client.get(address)
        assert response.status_code == 200, address
        yield address, visible_text(response)
        for found in re.findall(r'href="([^"#]+)"', response.content.decode()):
            target = urljoin(address, html.unescape(found))
            if target.startswith(BASE):
                queue.append(target)


def test_no_page_names_another_domain(client: Client) -> None:
    pages = dict(crawl(client))
    assert len(pages) > 15
    assert {address: found for address, text in pages.items() if (found := leaked(text))} == {}


def test_the_pages_of_those_who_may_view_all_are_complete() -> None:
    spoil_hr()
    browser = superuser_client()
    domain = visible_text(browser.get(f"{BASE}domain/hr/"))
    assert "references the table inventory.drugs" in domain
    step = visible_text(browser.get(f"{BASE}domain/hr/hr/0012_assignment_location/"))
    assert all(leak.lower() in step for leak in LEAKS.values())
    locks = visible_text(browser.get(f"{BASE}domain/hr/hr/0002_leave/"))
    assert "inventory.drugs" in locks


def test_what_is_withheld_is_said(client: Client) -> None:
    step = visible_text(client.get(f"{BASE}domain/hr/hr/0012_assignment_location/"))
    assert "this text names another domain; someone who may view every domain can read it." in step
    assert FAILED.lower() in step
    locks = visible_text(client.get(f"{BASE}domain/hr/hr/0002_leave/"))
    assert locks.count("another domain") == 1
    assert "rowexclusivelock" in locks
    assert "public.users" in locks
    source = visible_text(client.get(f"{BASE}domain/hr/hr/0013_alter_verbose_names/"))
    assert "the id of the workplace in another domain; resolved in code." in source


EMPTY_JOURNALS = (
    {"domain": "inventory"},
    {"domain": "no such domain"},
    {"person": "inventory"},
)


@pytest.mark.parametrize("given", EMPTY_JOURNALS)
def test_filters_of_the_journal_find_nothing_of_another_domain(client: Client, given) -> None:
    text = visible_text(client.get(f"{BASE}journal/", given))
    assert "there are no such runs." in text
    assert leaked(text.replace(*(next(iter(given.values())), ""))) == []


@pytest.mark.parametrize("given", [{"q": "invent"}, {"q": "finance"}, {"q": "zzz"}])
def test_the_search_answers_the_same_for_hidden_and_for_no_domains(client, given) -> None:
    text = visible_text(client.get(BASE, given))
    assert "no domain matches." in text
    assert "0 domains found" in text


def test_sorting_and_other_parameters_of_the_admin_change_nothing(client: Client) -> None:
    before = visible_text(client.get(BASE))
    for given in (
        {"o": "-1.2"},
        {"name__startswith": "inv"},
        {"_to_field": "name", "_popup": "1"},
        {"all": ""},
        {"e": "1"},
        {"_facets": "True"},
    ):
        text = visible_text(client.get(BASE, given))
        assert leaked(text) == []
        assert text.count("up to date") == before.count("up to date")


HIDDEN_PAGES = (
    "domain/{}/",
    "domain/{}/{}/0001_initial/",
    "domain/hr/{}/0001_initial/",
    "domain/hr/{}/0001_secret/",
)


@pytest.mark.parametrize("page", HIDDEN_PAGES)
def test_pages_of_hidden_domains_are_missing_like_those_of_none(client: Client, page: str) -> None:
    def answer(name: str) -> tuple[int, str]:
        response = client.get(BASE + page.format(name, name))
        return response.status_code, visible_text(response).replace(name, "NAME")

    hidden, none = answer("inventory"), answer("inventori")
    assert hidden == none
    assert hidden[0] == 404


def test_a_run_of_another_domain_is_missing_like_one_that_never_was(client: Client) -> None:
    other = "6f9619ff-0000-4d11-b42d-00c04fc964ff"
    execute(f"UPDATE finance.django_migrations_finance_journal SET run = '{other}'")

    def answer(run: str) -> tuple[int, str]:
        response = client.get(f"{BASE}journal/{run}/")
        return response.status_code, visible_text(response).replace(run, "RUN")

    assert superuser_client().get(f"{BASE}journal/{other}/").status_code == 200
    assert answer(other) == answer("7f9619ff-0000-4d11-b42d-00c04fc964ff")
    assert answer(other)[0] == 404


def test_a_shared_run_has_no_trace_of_its_other_domains(client: Client) -> None:
    journal = "finance.django_migrations_finance_journal"
    execute(f"UPDATE {journal} SET run = '{RUN}', started = '1999-01-01'")
    alone = visible_text(client.get(f"{BASE}journal/{RUN}/"))
    assert leaked(alone) == []
    assert "1999" not in alone
    assert "took</dt>" not in alone


ADMIN_ADDRESSES = (
    "{base}inventory/change/",
    "{base}inventory/delete/",
    "{base}inventory/history/",
    "{base}add/?_popup=1",
    "{base}hr/history/",
    "/admin/autocomplete/?app_label=domain_migrations&model_name=domain&field_name=name&term=inv",
    "/admin/r/{type}/inventory/",
    "/admin/r/{type}/hr/",
)


@pytest.mark.parametrize("address", ADMIN_ADDRESSES)
def test_pages_of_django_for_objects_are_closed(client: Client, address: str) -> None:
    content_type = ContentType.objects.get_for_model(Domain)
    response = client.get(address.format(base=BASE, type=content_type.pk))
    assert response.status_code in (403, 404)
    assert "invent" not in visible_text(response).replace(address, "").replace("/inventory/", "")


def test_the_index_and_the_app_list_count_nothing(client: Client) -> None:
    for address in (reverse("admin:index"), reverse("admin:app_list", args=["domain_migrations"])):
        assert leaked(visible_text(client.get(address))) == []


def test_an_error_of_a_page_names_no_hidden_domain(client, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError(LEAKS["guard"])

    monkeypatch.setattr(migration_page, "steps_of_migration", fail)
    text = visible_text(client.get(f"{BASE}domain/hr/hr/0002_leave/"))
    assert leaked(text) == []
    monkeypatch.setattr(migration_page, "preview", fail)
    text = visible_text(client.get(f"{BASE}domain/hr/hr/0002_leave/"))
    assert leaked(text) == []


def test_latest_migration_of_a_hidden_app_is_not_resolved(client, monkeypatch) -> None:
    header = migration_page.header_of

    def with_latest(key: object) -> object:
        found = header(key)
        later = (*found.dependencies, ("core", "__latest__"), ("inventory", "__latest__"))
        return found._replace(dependencies=tuple(map(type(key)._make, later)))

    monkeypatch.setattr(migration_page, "header_of", with_latest)
    ((last,),) = query("SELECT max(name) FROM public.django_migrations WHERE app = 'core'")
    text = visible_text(client.get(f"{BASE}domain/hr/hr/0002_leave/"))
    assert leaked(text) == []
    assert last not in text
    assert "core.__latest__" in text


def test_the_map_of_a_team_has_no_numbers_or_violations_of_core() -> None:
    spoil_hr()
    execute("ALTER TABLE public.users ADD secret bigint REFERENCES hr.positions")
    execute("ALTER TABLE public.users ADD drug bigint REFERENCES inventory.drugs")
    team, everyone = Client(), superuser_client()
    team.force_login(member("hr"))
    complete, own = (visible_text(each.get(f"{BASE}map/")) for each in (everyone, team))
    assert re.search(r"schema public, \d+ models", complete)
    assert "public.users" in own
    assert not re.search(r"schema public, \d+ models", own)
    assert "secret" not in own.replace("public.users.secret", "public.users.secret")
    assert "core to hr" in complete
    assert "core to hr" not in own
    assert leaked(own) == []


def test_a_hidden_database_that_is_down_is_not_named(client, monkeypatch, settings) -> None:
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "DATABASES": {"inventory": "far"}}
    text = visible_text(client.get(f"{BASE}map/"))
    assert leaked(text) == []
    assert "problem" not in text
    assert "2 domains:" in text


def test_staff_without_a_domain_get_the_same_answer_everywhere() -> None:
    browser = Client()
    browser.force_login(make_user(is_staff=True))
    answers = {
        visible_text(browser.get(BASE + page))
        for page in (
            *("", "journal/", "map/", "domain/hr/", "domain/none/", f"journal/{RUN}/"),
            *("json/status/", "json/journal/", "json/map/"),
        )
    }
    assert len(answers) == 1
    assert leaked(answers.pop()) == []


NAMES = [
    ("inventory.drugs", "another domain"),
    ('"inventory"."drugs" has', "another domain has"),
    ("FROM INVENTORY . Drugs;", "FROM another domain;"),
    ('("inventory", "0001_secret"),', "(another domain),"),
    ("inventories and my_inventory", "inventories and my_inventory"),
    ("the domain inventory.", "the domain another domain."),
    ('in table "drugs"', "in table another domain"),
    ("drugs of our own", "drugs of our own"),
    ("hr.employees of core, public.users", "hr.employees of core, public.users"),
    ("django_migrations_inventory_journal", "another domain"),
]


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_names_are_found_as_whole_words(text: str, expected: str) -> None:
    names = HiddenNames([get_domain("hr")])
    assert names.mask(text) == expected
    assert (names.withhold(text) == text) == (text == expected)


def test_nothing_is_masked_for_those_who_may_view_every_domain() -> None:
    names = HiddenNames([get_domain(name) for name in ("hr", "inventory", "finance")])
    assert [names.mask(text) for text, _ in NAMES] == [text for text, _ in NAMES]
