"""A project that returns to stock Django, as docs/how-to/leave.md says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support import lab
from tests.support.catalog import execute, query, schemas, snapshot
from tests.support.projects import Project, plain_app

Write = Callable[..., Project]

KEY = 'sample = models.ForeignKey("lab.Sample", models.CASCADE, null=True)'
REFERENCE = 'sample_id = DomainReference("lab.Sample", null=True, db_index=True)'
MODELS = f"""
from domain_migrations.fields import DomainReference
class Ward(models.Model):
    {KEY}
"""
FIRST = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [("lab", "0002_size")]
    operations = [migrations.CreateModel("Ward", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False,
            verbose_name="ID")),
        ("sample", models.ForeignKey("lab.Sample", models.CASCADE, null=True)),
    ])]
"""


def replaced(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def test_two_domains_with_a_reference_between_them(write: Write) -> None:
    """The foreign key becomes a reference and one again; rows and catalog are as before."""
    wards = plain_app(models=MODELS, migrations={"0001_initial": FIRST})
    project = write(lab.before(), apps={"wards": wards})
    models, settings = project.path / "wards/models.py", project.path / "settings.py"

    def done(*arguments: str) -> str:
        result = project.manage(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    done("migrate")
    execute("INSERT INTO wards_ward (sample_id) VALUES (2), (NULL)")
    catalog = snapshot()
    replaced(models, (KEY, REFERENCE))
    done("makemigrations", "wards", "--name=convert")
    done("migrate")
    for app in ("wards", "lab"):
        done("adopt_domain", app, "--write", "--skip-proof")
        done("migrate_domain", app)
    assert {"lab", "wards"} <= set(schemas())

    done("adopt_domain", "--undo", "--all", "--noinput")
    assert {"lab", "wards"}.isdisjoint(schemas())
    replaced(models, (REFERENCE, KEY))
    assert "Convert the reference sample_id" in done("makemigrations", "wards", "--name=back")
    done("migrate")
    assert snapshot() == catalog
    assert query("SELECT sample_id FROM wards_ward ORDER BY 1") == [(2,), (None,)]

    replaced(
        settings,
        ("domain_migrations.backends.postgresql", "django.db.backends.postgresql"),
        ("'domain_migrations', ", ""),
        ("DATABASE_ROUTERS = ['domain_migrations.router.DomainRouter']", ""),
    )
    replaced(models, ("from domain_migrations.fields import DomainReference\n", ""))
    for path in project.path.rglob("adoption.toml"):
        path.unlink()
    assert done("makemigrations", "--check") == "No changes detected\n"
    done("migrate", "--check")
