"""The SQL of a migration, collected in a read-only transaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.admin.generated_domains import SETTINGS, URLS, visit
from tests.support.catalog import tables
from tests.support.projects import Project, domain_app

BASE = "/admin/domain_migrations/domain/domain/lab/lab"
MIGRATIONS = {
    "0001_initial": """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Sample", [("id", models.BigAutoField(primary_key=True))],
        options={"db_table": '"lab"."samples"'})]
""",
    "0002_writes": """
from django.db.migrations.operations.base import Operation
class Writes(Operation):
    reversible = True
    def state_forwards(self, app_label, state): pass
    def database_forwards(self, app_label, editor, before, after):
        with editor.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE public.oops (id int)")
    database_backwards = database_forwards
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [Writes()]
""",
    "0003_no_way_back": """
def fill(apps, editor):
    apps.get_model("lab", "Sample").objects.create()
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_writes")]
    operations = [migrations.RunPython(fill)]
""",
    "0004_concurrently": """
from django.contrib.postgres.operations import AddIndexConcurrently
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("lab", "0003_no_way_back")]
    operations = [AddIndexConcurrently("sample", models.Index(fields=["id"], name="samples_i"))]
""",
}


@pytest.fixture
def pages(project: Callable[..., Project]) -> dict[str, str]:
    """The page of each migration, and of one in a file that cannot be imported."""
    settings = {**SETTINGS, "INSTALLED_APPS": [*SETTINGS["INSTALLED_APPS"], "lab"]}
    written = project({"lab": domain_app("lab", migrations=MIGRATIONS)}, settings=settings)
    written.write("urls.py", URLS)
    done = written.manage("migrate_domain", "core", "-v", "0")
    assert done.returncode == 0, done.stderr
    seen = visit(written, *(f"{BASE}/{name}/" for name in MIGRATIONS))
    assert [page["status"] for page in seen] == [200] * len(MIGRATIONS)
    texts = {name: page["html"] for name, page in zip(MIGRATIONS, seen, strict=True)}
    written.write("lab/migrations/0005_broken.py", "raise RuntimeError('<b>no</b>')")
    (broken,) = visit(written, f"{BASE}/0005_broken/")
    return {**texts, "0005_broken": broken["html"]}


def test_statements(pages: dict[str, str], scratch_database: str) -> None:
    assert "samples" in pages["0001_initial"]
    assert "cannot execute CREATE TABLE in a read-only transaction" in pages["0002_writes"]
    assert "oops" not in tables("public")
    assert pages["0003_no_way_back"].count("RunPython fill") == 2
    assert "The migration cannot be reverted: Operation" in pages["0003_no_way_back"]
    assert "CONCURRENTLY" in pages["0004_concurrently"]
    assert "&lt;b&gt;no&lt;/b&gt;" in pages["0005_broken"]
    assert "raise" in pages["0005_broken"]
