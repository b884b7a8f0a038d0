"""One line of migrations for each domain: what git says when two branches add to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.catalog import execute, query
from tests.support.commands import Result
from tests.support.projects import Project, domain_app

MODEL = """
class Thing(models.Model):
    class Meta:
        db_table = '"{name}"."things"'
"""
CREATE = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={{"db_table": '"{name}"."things"'}})]
"""
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.editor=true")
MARKERS = ("<<<<<<<", "=======", ">>>>>>>")
FILE = "{}/migrations/max_migration.txt"


class Repository:
    """A project in a git repository."""

    def __init__(self, project: Project) -> None:
        self.project = project
        (project.path / ".gitignore").write_text("__pycache__/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("Two domains")

    def git(self, *arguments: str, status: int = 0) -> str:
        result = subprocess.run(
            [*GIT, *arguments], cwd=self.project.path, capture_output=True, text=True, timeout=60
        )
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def branch(self, name: str, domain: str) -> None:
        """Add a field of that name to a domain's model on a new branch from main."""
        self.git("checkout", "--quiet", "-b", name, "main")
        models = self.project.path / domain / "models.py"
        models.write_text(
            models.read_text().replace(
                "    class Meta", f"    {name} = models.IntegerField(null=True)\n    class Meta"
            )
        )
        made = self.project.manage("makemigrations", domain, "--name", name)
        assert made.returncode == 0, made.stderr
        self.commit(f"Add {name}")

    def conflicts(self) -> list[str]:
        return self.git("diff", "--name-only", "--diff-filter=U").split()

    def keep_both(self, name: str) -> None:
        """Settle a conflict by keeping what both sides wrote."""
        path = self.project.path / name
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if line[:7] not in MARKERS))

    def max_migration(self, domain: str) -> str:
        return (self.project.path / FILE.format(domain)).read_text()


@pytest.fixture
def repository(project: Callable[..., Project]) -> Repository:
    names = ("lab", "ward")
    apps = {
        name: domain_app(
            name,
            models=MODEL.format(name=name),
            migrations={"0001_initial": CREATE.format(name=name)},
        )
        for name in names
    }
    contrib = ["django.contrib.contenttypes", "django.contrib.auth"]
    installed = ["domain_migrations", *contrib, "django_linear_migrations", *names]
    settings = {"INSTALLED_APPS": installed, "FIRST_PARTY_APPS": list(names)}
    found = project(apps, settings=settings)
    for name in names:
        (found.path / FILE.format(name)).write_text("0001_initial\n")
    return Repository(found)


def test_branches_conflict_in_one_domain_and_never_in_two(repository: Repository) -> None:
    repository.branch("height", "lab")
    repository.branch("weight", "lab")
    repository.branch("beds", "ward")

    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-edit", "height")
    repository.git("merge", "--quiet", "--no-edit", "beds")
    assert repository.max_migration("lab") == "0002_height\n"
    assert repository.max_migration("ward") == "0002_beds\n"
    repository.git("merge", "--no-edit", "weight", status=1)
    assert FILE.format("lab") in repository.conflicts()
    assert not [name for name in repository.conflicts() if name.startswith("ward")]
    repository.git("merge", "--abort")

    # The way out: rebase the branch, and its migration with it.
    repository.git("checkout", "--quiet", "weight")
    repository.git("rebase", "main", status=1)
    repository.keep_both("lab/models.py")
    rebased = repository.project.manage("rebase_migration", "lab")
    assert rebased.returncode == 0, rebased.stderr
    assert "Renamed 0002_weight.py to 0003_weight.py" in rebased.stdout
    repository.git("add", "--all")
    repository.git("rebase", "--continue")
    assert repository.max_migration("lab") == "0003_weight\n"

    project = repository.project
    assert project.manage("makemigrations", "--check", "--dry-run").returncode == 0
    # A table of the same name in public is nobody's business here.
    execute("CREATE TABLE public.things (id integer)")
    migrated = project.manage("migrate_domain", "--all")
    assert migrated.returncode == 0, migrated.stderr
    assert columns("lab") == ["id", "height", "weight"]
    assert columns("ward") == ["id", "beds"]
    assert columns("public") == ["id"]


def columns(schema: str) -> list[str]:
    rows = query(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum",
        f"{schema}.things",
    )
    return [name for (name,) in rows]


def test_rebase_migration_refuses_an_applied_migration(
    repository: Repository, scratch_database: str
) -> None:
    """django-linear-migrations alone would look into public.django_migrations.

    What it says to run works during the conflict, while there are two leaf migrations.
    """
    repository.branch("height", "lab")
    repository.branch("weight", "lab")
    project = repository.project
    assert project.manage("migrate_domain", "lab", "--with-dependencies").returncode == 0
    repository.git("rebase", "height", status=1)
    repository.keep_both("lab/models.py")
    before = contents(project.path / "lab")

    refused = project.manage("rebase_migration", "lab")

    assert refused.returncode == 1
    command = "migrate_domain lab 0001_initial --skip-checks"
    assert refused.stderr == (
        'CommandError: lab.0002_weight is applied in the database "default", so it cannot be'
        f" renamed. Revert it, and then run this command again: manage.py {command}\n"
    )
    assert contents(project.path / "lab") == before

    latest = project.manage("migrate_domain", "lab", "--skip-checks")
    assert latest.returncode == 1
    assert latest.stderr == (
        "CommandError: The migrations of lab have several leaves: 0002_height, 0002_weight."
        " Run: manage.py rebase_migration lab, which moves yours after the other. Or run: manage.py"
        " makemigrations --merge lab\n"
    )
    for preview in ("--plan", "--dry-run"):
        shown = project.manage(*command.split(), preview)
        assert "lab.0002_weight" in shown.stdout + shown.stderr, shown.stderr
    reverted = project.manage(*command.split(), "--noinput")
    assert reverted.returncode == 0, reverted.stderr
    assert columns("lab") == ["id"]
    assert project.manage("rebase_migration", "lab").returncode == 0
    assert project.manage("migrate_domain", "lab").returncode == 0
    assert columns("lab") == ["id", "height", "weight"]


def test_rollback_with_two_leaf_migrations(repository: Repository, scratch_database: str) -> None:
    repository.branch("height", "lab")
    repository.branch("weight", "lab")
    project = repository.project
    assert project.manage("migrate_domain", "lab", "0001", "--with-dependencies").returncode == 0
    assert project.manage("migrate_domain", "lab").returncode == 0
    repository.git("checkout", "--quiet", "height", "--", "lab/migrations/0002_height.py")

    rolled_back = project.manage(
        "migrate_domain", "lab", "--rollback", "--noinput", "--skip-checks"
    )

    assert rolled_back.returncode == 0, rolled_back.stderr
    assert columns("lab") == ["id"]
    other = project.manage("migrate_domain", "lab", "0002_height", "--skip-checks")
    assert other.returncode == 0, other.stderr
    assert columns("lab") == ["id", "height"]
    stock = project.manage("migrate", "lab", "0001", "--noinput", "--skip-checks")
    assert stock.returncode == 0, stock.stderr
    assert columns("lab") == ["id"]


def test_rebase_migration__unknown_app(repository: Repository) -> None:
    result = repository.project.manage("rebase_migration", "labb")
    assert result.returncode == 2
    assert result.stderr == (
        'CommandError: No installed app has the label "labb". Did you mean "lab"? The labels are'
        " auth, contenttypes, django_linear_migrations, domain_migrations, lab, ward.\n"
    )


def test_rebase_migration__names_without_a_number(repository: Repository) -> None:
    folder = repository.project.path / "lab/migrations"
    for name in ("initial", "second"):
        (folder / f"{name}.py").write_text(
            "from django.db import migrations\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("lab", "0001_initial")]\n    operations = []\n'
        )
    (folder / "max_migration.txt").write_text("<<<<<<< a\ninitial\n=======\nsecond\n>>>>>>> b\n")
    result = repository.project.manage("rebase_migration", "lab")
    assert result.returncode == 1
    assert result.stderr.startswith("CommandError: The migrations of lab cannot be renumbered: ")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*.*") if path.suffix != ".pyc"}


def test_squashed_migration_becomes_the_last(repository: Repository) -> None:
    repository.branch("height", "lab")
    project = repository.project

    squashed = project.manage("squashmigrations", "lab", "0002", "--noinput")

    assert squashed.returncode == 0, squashed.stderr
    assert repository.max_migration("lab") == "0001_squashed_0002_height\n"
    assert project.manage("check").returncode == 0


def test_rebase_migration_without_the_package(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.apps.apps.is_installed", lambda name: False)

    result = call("rebase_migration", "hr")

    assert result.exit_status == 1
    assert str(result.error) == (
        "rebase_migration belongs to django-linear-migrations, which is not in INSTALLED_APPS."
        ' Run: pip install django-linear-migrations; then add "django_linear_migrations" after'
        ' "domain_migrations", and run: manage.py create_max_migration_files'
    )
