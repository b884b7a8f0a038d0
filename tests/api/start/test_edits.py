"""The edits that put a new domain into a project's files."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from domain_migrations.api.start.project_files import (
    CONTRACT,
    SettingsFile,
    add_owner,
    add_to_pyproject,
    find_settings,
    has_contract,
    owners_file,
)
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.commands import ROOT

MARKER = "# start_domain adds a domain above this line."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f'APPS = [\n    "a",\n    {MARKER}\n]\n',
            f'APPS = [\n    "a",\n    "crm",\n    {MARKER}\n]\n',
        ),
        (
            'INSTALLED_APPS = ["a", "b"]\n',
            f'INSTALLED_APPS = ["a", "b",\n    "crm",\n    {MARKER}\n]\n',
        ),
        (
            'INSTALLED_APPS: list[str] = [\n    "a",\n    "b"  # ยา, the last\n]\nX = 1\n',
            'INSTALLED_APPS: list[str] = [\n    "a",\n    "b",  # ยา, the last\n    "crm",\n'
            f"    {MARKER}\n]\nX = 1\n",
        ),
        (
            'INSTALLED_APPS = (\r\n    "a",\r\n)\r\n',
            f'INSTALLED_APPS = (\r\n    "a",\r\n    "crm",\r\n    {MARKER}\r\n)\r\n',
        ),
        (
            'INSTALLED_APPS = [\n    *OURS,\n    "a",\n\n]\n',
            f'INSTALLED_APPS = [\n    *OURS,\n    "a",\n    "crm",\n    {MARKER}\n]\n',
        ),
    ],
    ids=["marked", "one line", "comment", "tuple and CRLF", "starred"],
)
def test_settings(before: str, after: str) -> None:
    file = SettingsFile(Path("settings.py"), Path(), before.encode())
    assert (file.add_app("crm") or b"").decode() == after
    again = SettingsFile(file.path, file.root, after.encode())
    more = (again.add_app("shop") or b"").decode()
    assert more.count(MARKER) == 1
    assert more.index('"crm"') < more.index('"shop"') < more.index(MARKER)


@pytest.mark.parametrize(
    "text",
    ["INSTALLED_APPS = OTHERS + ['a']\n", "INSTALLED_APPS += ['a']\n", "INSTALLED_APPS = []\n"],
)
def test_settings_without_a_place(text: str) -> None:
    assert SettingsFile(Path("settings.py"), Path(), text.encode()).add_app("crm") is None


def test_settings_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_module: str
) -> None:
    (tmp_path / settings_module).mkdir()
    package = tmp_path / settings_module
    (package / "__init__.py").write_text("from .site import *\n")
    (package / "site.py").write_text(
        "from django.conf.global_settings import *\nfrom .base import *\n"
    )
    (package / "base.py").write_text('INSTALLED_APPS = ["a"]\n')
    monkeypatch.setattr("django.conf.settings.SETTINGS_MODULE", f"{settings_module}.site")
    found = find_settings()
    assert (found.path, found.root) == (package / "base.py", tmp_path)
    monkeypatch.setattr("django.conf.settings.SETTINGS_MODULE", settings_module)
    assert find_settings() == found


@pytest.fixture
def settings_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("followed")]:
        monkeypatch.delitem(sys.modules, name)
    return "followed"


def test_pyproject_of_this_project() -> None:
    before = (ROOT / "pyproject.toml").read_text()
    after = add_to_pyproject(before, "crm")
    linter = tomllib.loads(after)["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in linter["contracts"]}
    assert "crm" in linter["root_packages"]
    assert "crm" in contracts["engine"]["forbidden_modules"]
    assert "crm" in contracts["domains"]["modules"]
    assert "crm" in contracts["core"]["forbidden_modules"]
    assert has_contract(after, "crm")
    assert not has_contract(before, "crm")
    isort = tomllib.loads(after)["tool"]["ruff"]["lint"]["isort"]["known-first-party"]
    assert tomllib.loads(after)["tool"]["pytest"]["ini_options"]["testpaths"] == ["crm", "tests"]
    assert isort == sorted(isort)
    assert "crm" in isort
    assert add_to_pyproject(after, "crm") == after
    gone = [line for line in before.splitlines() if line not in after.splitlines()]
    assert len(gone) == 3  # the lists that stand on one line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("['lab', 'web']", """["crm", 'lab', 'web']"""),
        ("['web', 'lab']", """['web', 'lab', "crm"]"""),
        ("[\n  'lab'\n]", "[\n  'lab',\n  \"crm\"\n]"),
        ('[\n  "lab"  # [ours]\n]', '[\n  "lab",  # [ours]\n  "crm"\n]'),
        ('[\n\t"lab",  # [ours]\n]', '[\n\t"lab",  # [ours]\n\t"crm",\n]'),
        ('[\r\n  "lab",\r\n]', '[\r\n  "lab",\r\n  "crm",\r\n]'),
        ('["a", # one\n "b"]', '["a", # one\n "b",\n "crm"]'),
        ("[\n]", '[\n    "crm"\n]'),
    ],
)
def test_lists_in_pyproject(before: str, after: str) -> None:
    head = "[tool.importlinter]\nroot_packages = "
    assert add_to_pyproject(f"{head}{before}\n", "crm") == f"{head}{after}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project]\nname = "x"\n',
        "[tool.x]\n# a new one is added here\n",
        '[tool.importlinter]\nroot_packages = [{name = "lab"}]\nx = 1\n',
    ],
)
def test_pyproject_without_a_place(text: str) -> None:
    assert add_to_pyproject(text, "crm") == text


def test_pyproject_without_tomlkit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    assert add_to_pyproject("", "crm") == ""
    with pytest.raises(InvalidConfiguration) as refused:
        add_to_pyproject('[project]\nname = "x"\n', "crm")
    assert str(refused.value) == (
        "pyproject.toml cannot be edited, because tomlkit is not installed."
    )
    assert refused.value.hint == 'Run: pip install "tomlkit>=0.13"'


def test_the_advised_contract_is_valid() -> None:
    text = "[tool.importlinter]\nroot_packages = []\n" + CONTRACT.format(names='    "crm",')
    after = add_to_pyproject(text, "shop")
    assert has_contract(after, "crm")
    assert has_contract(after, "shop")


def test_owners(tmp_path: Path) -> None:
    assert owners_file(tmp_path) == tmp_path / "CODEOWNERS"
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/CODEOWNERS").write_text("* @all\n")
    assert owners_file(tmp_path) == tmp_path / ".github/CODEOWNERS"
    once = add_owner("* @all\n", ["crm", "tests/crm"], "@sales")
    assert once.startswith("* @all\n\n# The domains, each with its owner.\n/crm/ @sales\n")
    twice = add_owner(once, ["shop"], "@shop")
    assert twice == once.replace("# start_domain", "/shop/ @shop\n# start_domain")
