"""A whole move between two servers, while writers insert, update and delete."""

from __future__ import annotations

import json
import time

from tests.support.moving_domain import Moving

OPEN = """
SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
AND tgrelid IN ('depot.tags'::regclass, 'depot.moves'::regclass) AND tgname NOT LIKE '%fence'
ORDER BY 1
"""

ADMIN = """
INSTALLED_APPS += ["django.contrib." + name for name in ("admin", "sessions", "messages")]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
ROOT_URLCONF, STATIC_URL, ALLOWED_HOSTS = "urls", "/static/", ["*"]
"""
URLS = """
from django.contrib import admin
from django.urls import path
from depot.models import Tag
admin.site.register(Tag)
urlpatterns = [path("admin/", admin.site.urls)]
"""
PAGES = """
import django
django.setup()
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from depot.models import Tag
client = Client()
client.force_login(User.objects.create_superuser("ada"))
paths = ("", "domain/core/", "domain/depot/", "domain/depot/stock/0001_initial/")
pages = [*paths, "journal/", "journal/?domain=depot", "map/"]
print([client.get("/admin/domain_migrations/domain/" + page).status_code for page in pages])

client.post("/admin/depot/tag/add/", {"name": "by hand"})
tag = Tag.objects.using("lab").get(name="by hand")
print(client.get(f"/admin/depot/tag/{tag.pk}/change/").status_code)
client.post(f"/admin/depot/tag/{tag.pk}/delete/", {"post": "yes"})
print(Tag.objects.filter(name="by hand").count(), LogEntry.objects.using("default").count())
"""

TESTS = """
from django.test import TestCase
from depot.models import Part

class PartTests(TestCase):
    databases = {"default", "lab"}

    def test_rows_are_in_the_domains_own_database(self):
        Part.objects.create(name="one")
        self.assertEqual(Part.objects.using("lab").count(), 1)
        self.assertEqual(Part.objects.db, "lab")
"""


def await_back(moving: Moving) -> None:
    """Wait until the source has what was written in the target."""
    deadline = time.monotonic() + 30
    while moving.differing_tables():
        assert time.monotonic() < deadline, moving.differing_tables()
        time.sleep(0.2)


def test_writers_lose_nothing_during_the_whole_move(moving: Moving) -> None:
    with moving.writers() as report:
        moving.copied()
        time.sleep(0.5)
        result = json.loads(moving.done("cut-over", "--format", "json"))
        time.sleep(0.5)
    assert report["problems"] == []
    assert report["aliases"] == ["lab"]
    assert report["done"] > 100
    assert result["pause"]["seconds"] < 5
    assert result["phase"] == "switched"
    await_back(moving)

    # A trigger of the copy would have counted moves twice, and an ALWAYS trigger entered tags.
    ((moves, total),) = moving.on_target(
        "SELECT (SELECT count(*) FROM depot.moves), (SELECT sum(number) FROM depot.totals)"
    )
    assert total >= moves > 0
    assert moving.on_target("SELECT count(*) FROM depot.tags") == moving.on_target(
        "SELECT count(*) FROM depot.entries"
    )
    assert moving.on_target(OPEN) == [("count_move", "O"), ("enter_tag", "A")]
    assert moving.on_source(OPEN) == [("count_move", "O"), ("enter_tag", "D")]
    assert moving.on_target("SELECT sum(number) FROM depot.sizes")[0][0] > 0

    moving.done("finish", "--noinput")
    assert moving.leftovers() == []
    # The domain's own sequences continue with a margin, the one that no column owns as well.
    assert moving.on_target("SELECT nextval('depot.numbers')") == [(-1954,)]
    key = moving.on_target("INSERT INTO depot.tags (name) VALUES ('new') RETURNING id")[0][0]
    assert key > moving.on_source("SELECT max(id) FROM depot.tags")[0][0]


def test_the_domain_works_on_its_own_server(moving_18: Moving) -> None:
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'depot' ORDER BY 1"
    moving_18.copied()
    assert len(moving_18.on_target(indexes)) < len(moving_18.on_source(indexes))
    history = moving_18.on_source("SELECT * FROM depot.django_migrations_depot ORDER BY id")
    output = moving_18.done("cut-over")
    assert '+    "DATABASES": {"depot": "lab"},' in output
    assert "+    labels = {'depot', 'stock'}\n" in output
    moving_18.done("finish", "--noinput")
    assert moving_18.on_target(indexes) == moving_18.on_source(indexes)
    assert moving_18.on_target("SELECT * FROM depot.django_migrations_depot ORDER BY id") == history
    router = output.partition("+++ config/routers.py\n")[2]
    lines = [line[1:] for line in router.splitlines() if line.startswith("+")]
    moving_18.project.write("config/routers.py", "\n".join(lines) + "\n")
    with (moving_18.project.path / "settings.py").open("a") as file:
        file.write('DOMAIN_MIGRATIONS = {"DATABASES": {"depot": "lab"}}\n')
        file.write('DATABASE_ROUTERS += ["config.routers.DepotRouter"]\n')
    moving_18.project.write("depot/tests.py", TESTS)
    for arguments in (
        ("test", "depot", "--noinput"),
        ("verify_domain",),
        ("migrate_domain", "--all", "--check"),
        ("migrate_domain", "--all"),
        ("migrate", "--check"),
        ("makemigrations", "--check"),
        ("check", "--database", "default", "--database", "lab"),
        ("seed_domain", "depot"),
        ("map_domains", "--format", "json"),
        ("show_domains",),
    ):
        result = moving_18.project.manage(*arguments)
        assert result.returncode == 0, (arguments, result.stdout, result.stderr)
    assert "3 applied, 0 pending" in result.stdout
    count = moving_18.project.python(
        "-c",
        "import django; django.setup(); from depot.models import Part;"
        "Part.objects.create(name='new'); print(Part.objects.count(), Part.objects.db)",
    )
    assert count == "2001 lab\n"
    moving_18.project.write("urls.py", URLS)
    with (moving_18.project.path / "settings.py").open("a") as file:
        file.write(ADMIN)
    assert moving_18.project.manage("migrate_domain", "core").returncode == 0
    assert moving_18.project.python("-c", PAGES) == f"{[200] * 7}\n200\n0 2\n"
    # The old tables refuse writes of superusers, too, and their domain is not migrated there.
    refused = moving_18.project.manage("migrate_domain", "depot", "zero", "--database", "default")
    assert 'has left this database for "lab"' in refused.stderr
    assert moving_18.on_source("SELECT count(*) FROM depot.parts") == [(2000,)]
