"""What is said of a database in which an adoption waits, and of one that older code meets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import lab
from tests.support.catalog import query, snapshot
from tests.support.projects import Project, plain_app

Write = Callable[..., Project]

USER = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [("lab", "0001_initial")]
    {}
    operations = []
"""


def marks(project: Project, *labels: str) -> tuple[list[str], str]:
    """The lines about `lab` of `showmigrations`, and what it says besides."""
    result = project.manage("showmigrations", *(labels or ("lab",)))
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[1:3], result.stderr


def test_showmigrations_shows_what_is_applied_under_the_old_history(write: Write) -> None:
    adopted, undone = write(lab.after()), write(lab.undone(), name="undone")
    applied = [" [X] 0001_initial", " [X] 0002_size"]
    remark = "manage.py migrate_domain lab will move both, as"
    lines, remarks = marks(adopted)
    assert (lines, remarks.count(remark)) == (applied, 1)
    assert remark not in adopted.manage("showmigrations", "auth").stderr
    before = snapshot()
    assert adopted.manage("migrate_domain", "lab").returncode == 0
    assert marks(adopted) == (applied, "")
    lines, remarks = marks(undone)
    assert (lines, remarks.count("manage.py migrate will move them")) == (applied, 1)
    assert undone.manage("migrate").returncode == 0
    assert marks(undone) == (applied, "")
    assert snapshot() == before


def test_showmigrations_names_a_declaration_that_cannot_be_followed(write: Write) -> None:
    project = write({**lab.before(), "migrations/adoption.toml": lab.ADOPTION.as_text()})
    lines, remarks = marks(project)
    assert lines == [" [X] 0001_initial", " [X] 0002_size"]
    assert "but the code leaves the app in core." in remarks


def test_older_code_is_told_why_it_cannot_make_migrations(write: Write) -> None:
    old = write(
        lab.before(),
        name="old",
        apps={"x": plain_app(migrations={"0001_initial": USER.format("")})},
    )
    assert old.manage("migrate").returncode == 0
    former = plain_app(migrations={"0001_initial": USER.format('former_dependencies = ["lab"]')})
    assert write(lab.after(), apps={"x": former}).manage("migrate_domain", "lab").returncode == 0
    result = old.manage("makemigrations", "--check")
    assert result.returncode == 1
    assert result.stderr.startswith(
        "CommandError: lab.django_migrations_lab records lab.0001_initial and 1 more, which the"
        " code has in core; core would apply them a second time. Deploy the code in which lab"
    )
    remarks = marks(old)[1]
    assert "which the code has in core" in remarks


@pytest.mark.parametrize("preview", [(), ("--plan",), ("--dry-run",)])
def test_zero_does_not_adopt(write: Write, preview: tuple[str, ...]) -> None:
    project, before = write(lab.after()), snapshot()
    result = project.manage("migrate_domain", "lab", "zero", "--noinput", *preview)
    assert result.returncode == 1
    assert "The adoption of lab is still to be run in this database, and a rollback" in (
        result.stderr
    )
    assert snapshot() == before
    assert query("SELECT count(*) FROM lab_sample") == [(2,)]
