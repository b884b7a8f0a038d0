"""`changed_domains` in temporary repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.test import override_settings

from domain_migrations.api.changed import GitFailed, InvalidRevision, changed_domains
from tests.support.commands import NEUTRAL, Result
from tests.support.requirements import need_program

Call = Callable[..., Result]
AUTHOR = ["-c", "user.name=Somchai", "-c", "user.email=somchai@example.com"]


def git(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        [need_program("git"), *AUTHOR, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip()


def write(folder: Path, *names: str, text: str = "1") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the folders of three apps, in a folder with a space and an umlaut."""
    top = tmp_path / "a größe"
    homes = {"core": "core", "inventory": "inventory", "hr": "inventory/people"}
    for label, home in homes.items():
        monkeypatch.setattr(apps.get_app_config(label), "path", str(top / home))
        write(top, f"{home}/models.py")
    write(top, "requirements.txt", "inventory_notes.txt")
    git(tmp_path, "init", "--quiet", str(top))
    commit(top)
    return top


def changed(repository: Path, since: str = "HEAD") -> dict[str, list[str]]:
    found = changed_domains(since, folder=repository)
    return {**{k: list(v) for k, v in found.files.items()}, "-": list(found.unowned_files)}


def test_nothing(repository: Path) -> None:
    assert changed(repository) == {"-": []}


def test_committed_staged_unstaged_and_new_files(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    write(repository, "core/models.py", text="2")
    commit(repository)
    write(repository, "inventory/people/models.py", text="2")
    git(repository, "add", "--all")
    write(repository, "inventory/models.py", "inventory_notes.txt", text="2")
    write(repository, "inventory/migrations/0002_new.py")
    assert changed(repository, first) == {
        "core": ["core/models.py"],
        "inventory": ["inventory/migrations/0002_new.py", "inventory/models.py"],
        "hr": ["inventory/people/models.py"],
        "-": ["inventory_notes.txt"],
    }
    assert list(changed(repository)) == ["inventory", "hr", "-"]


def test_ignored_files_do_not_count(repository: Path) -> None:
    write(repository, ".gitignore", text="*.pyc\n")
    commit(repository)
    write(repository, "inventory/models.pyc")
    assert changed(repository) == {"-": []}


def test_renamed_and_deleted_files_count_where_they_were(repository: Path) -> None:
    git(repository, "mv", "inventory/models.py", "core/moved.py")
    git(repository, "rm", "--quiet", "inventory/people/models.py")
    commit(repository)
    assert changed(repository, "HEAD~1") == {
        "core": ["core/moved.py"],
        "inventory": ["inventory/models.py"],
        "hr": ["inventory/people/models.py"],
        "-": [],
    }


def test_names_that_are_hard_to_write_down(repository: Path) -> None:
    names = ["core/ยา ใหม่.py", 'core/a"b\nc.py', "core/-x.py"]
    write(repository, *names)
    commit(repository)
    assert changed(repository, "HEAD~1") == {"core": sorted(names), "-": []}


def test_settings_of_git_change_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("diff.relative", "true"), ("diff.renames", "copies")):
        git(repository, "config", name, value)
    git(repository, "config", "diff.external", "/bin/false")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/none")
    write(repository, "core/models.py", text="2")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    found = changed_domains("HEAD", folder=repository / "inventory/people")
    assert found.files == {"core": ("core/models.py",)}


def test_migrations_elsewhere_are_the_domains(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository, "moved/of_finance/__init__.py", "moved/__init__.py")
    commit(repository)
    write(repository, "moved/of_finance/0001_x.py", "moved/other.py")
    monkeypatch.syspath_prepend(repository)
    with override_settings(MIGRATION_MODULES={"finance": "moved.of_finance"}):
        found = changed(repository)
    assert found == {"finance": ["moved/of_finance/0001_x.py"], "-": ["moved/other.py"]}


def test_the_engine_is_outside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its app is core's by the rule, but no migration comes of it."""
    engine = repository / "core/engine"
    monkeypatch.setattr("domain_migrations.api.changed.ENGINE", engine)
    monkeypatch.setattr(apps.get_app_config("domain_migrations"), "path", str(engine))
    write(repository, "core/engine/models.py")
    assert changed(repository) == {"-": ["core/engine/models.py"]}


@pytest.mark.parametrize("since", ["", " ", "-x", "--output=pwned", "a\0b"])
def test_invalid_revisions(repository: Path, since: str) -> None:
    with pytest.raises(InvalidRevision) as raised:
        changed_domains(since, folder=repository)
    assert raised.value.message == f'"{since}" is not a revision.'
    assert raised.value.exit_status == 2
    assert not list(repository.rglob("pwned"))


@pytest.mark.parametrize(
    "since", ["nowhere", "0" * 40, "HEAD..HEAD", "HEAD:core", "HEAD --output=x"]
)
def test_unknown_revision(repository: Path, since: str) -> None:
    with pytest.raises(GitFailed) as raised:
        changed_domains(since, folder=repository)
    assert raised.value.message == f'The repository has no revision "{since}".'
    assert raised.value.exit_status == 1


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(GitFailed) as raised:
        changed_domains("HEAD", folder=tmp_path)
    assert raised.value.message.startswith(f"git failed in {tmp_path}: fatal:")


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailed, match="git is not installed or not on PATH"):
        changed_domains("HEAD", folder=tmp_path)


def test_command(repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "domain_migrations.api.changed._project_folder", lambda: repository / "core"
    )
    write(repository, "core/models.py", "inventory/new\n.py", "requirements.txt", text="2")
    assert call("changed_domains", "--since", "HEAD").stdout == "core\ninventory\n"
    assert call("changed_domains", "--since", "HEAD", "-v", "2").stdout == (
        "core\n  core/models.py\ninventory\n  inventory/new\\n.py\n"
    )
    head = git(repository, "rev-parse", "HEAD")
    assert json.loads(call("changed_domains", "--since", "HEAD", "--format", "json").stdout) == {
        "format": 1,
        "since": head,
        "domains": ["core", "inventory"],
        "files": {"core": ["core/models.py"], "inventory": ["inventory/new\n.py"]},
        "outside": ["requirements.txt"],
    }
    refused = call("changed_domains", "--since=--output=x")
    assert (refused.exit_status, refused.stdout) == (2, "")
    assert refused.stderr == (
        'CommandError: "--output=x" is not a revision.'
        " Give a branch, a tag or a commit: --since main\n"
    )


def test_command__started_anywhere(tmp_path: Path) -> None:
    """It finds the repository by the project, not by the folder where it is started."""
    settings = 'INSTALLED_APPS = ["domain_migrations", "lab"]\nSECRET_KEY = "x"\n'
    manage = (
        'import os, sys; os.environ["DJANGO_SETTINGS_MODULE"] = "settings"\n'
        "from django.core.management import execute_from_command_line as run; run(sys.argv)\n"
    )
    app = (
        "from domain_migrations.domains import DomainConfig\n"
        'class LabConfig(DomainConfig):\n    name = "lab"\n'
    )
    write(tmp_path, "settings.py", text=settings)
    write(tmp_path, "manage.py", text=manage)
    write(tmp_path, "lab/apps.py", text=app)
    write(tmp_path, "lab/__init__.py", text="")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    write(tmp_path, "lab/models.py")
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        [sys.executable, tmp_path / "manage.py", "changed_domains", "--since", "HEAD"],
        cwd="/",
        env={**os.environ, **NEUTRAL, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert result.stdout == "lab\n", result.stderr
