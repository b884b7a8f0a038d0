"""README.md and docs/reference say what the code says."""

from __future__ import annotations

import re
import tomllib
from argparse import _SubParsersAction
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from domain_migrations import checks, exceptions
from domain_migrations.conf import Settings
from domain_migrations.engine.history.journal import CREATE_TABLE
from domain_migrations.engine.history.seed_ledger import CREATE_LEDGER, CREATE_ROWS
from tests.support.commands import ROOT

REFERENCE = ROOT / "docs/reference"
OURS = [name for name, app in get_commands().items() if app == "domain_migrations"]
# Those of every Django command, and stock migrate's, which Django documents.
DJANGO_OPTIONS = {
    *("--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback"),
    *("--no-color", "--force-color", "--skip-checks"),
}
ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table's rows, below its head, without back quotes."""
    cells = [re.split(r"(?<!\\) \| ", row.replace("`", "")) for row in ROW.findall(text)]
    return [row for row in cells[1:] if set(row[0]) != {"-"}]


def table(path: Path, marker: str) -> list[list[str]]:
    """The rows of the table after a comment."""
    _, found, rest = path.read_text().partition(f"<!-- {marker} -->\n")
    assert found, f"{path.name} has no <!-- {marker} -->"
    return rows(rest.lstrip("\n").partition("\n\n")[0])


def check_ids() -> list[list[str]]:
    return rows(str(checks.__doc__).replace("``", ""))


def test_checks_module_lists_its_ids() -> None:
    sources = [path.read_text() for path in (ROOT / "domain_migrations").rglob("*.py")]
    used = {
        name
        for source in sources
        for name in re.findall(r'(?:Problem\(\s*|_across\(\s*|return |\.)"?([EW]\d{3})"', source)
    }
    assert used <= {number for number, _ in check_ids()}


@pytest.mark.parametrize(
    ("name", "marker"),
    [("README.md", "the table of checks"), ("docs/reference/checks.md", "the table of checks")],
)
def test_checks_are_documented(name: str, marker: str) -> None:
    assert [row[:2] for row in table(ROOT / name, marker)] == check_ids()


@pytest.mark.parametrize(
    "command",
    sorted(
        {*OURS} - {"makemigrations", "migrate", "showmigrations", "sqlmigrate", "squashmigrations"}
    ),
)
def test_options_are_documented(command: str) -> None:
    parser = load_command_class("domain_migrations", command).create_parser("manage.py", command)
    options = {
        option
        for action in parser._actions
        if not isinstance(action, _SubParsersAction)
        for option in action.option_strings
        if option.startswith("--")
    }
    documented = table(REFERENCE / "commands.md", f"options of {command}")
    assert set(re.findall(r"--[a-z-]+", " ".join(row[0] for row in documented))) == (
        options - DJANGO_OPTIONS
    )


def test_every_command_is_documented() -> None:
    headings = re.findall(r"^## (\w+)$", (REFERENCE / "commands.md").read_text(), re.MULTILINE)
    assert set(OURS) <= set(headings)
    readme = (ROOT / "README.md").read_text()
    assert {name for name in OURS if f"`{name}" not in readme} == set()


def test_settings_are_documented() -> None:
    expected = [
        [
            field.name.upper(),
            str(field.default if field.default is not MISSING else field.default_factory()),
        ]
        for field in fields(Settings)
    ]
    assert [row[:2] for row in table(REFERENCE / "settings.md", "the table of settings")] == (
        expected
    )


def test_error_codes_are_documented() -> None:
    classes = exceptions.DomainMigrationsError.__subclasses__()
    leaves = [
        leaf
        for each in classes
        for leaf in (each, *(one for one in each.__subclasses__() if "code" in vars(one)))
    ]
    expected = [
        [error.code, error.__name__, str(error.exit_status), " ".join(str(error.__doc__).split())]
        for error in leaves
        if error.__module__ == exceptions.__name__
    ]
    assert table(REFERENCE / "errors.md", "the table of errors") == expected
    text = (ROOT / "docs/troubleshooting.md").read_text()
    assert [code for code, *_ in expected if f"\n## `{code}`\n" not in text] == []


@pytest.mark.parametrize(
    ("marker", "statement"),
    [
        ("the columns of the journal", CREATE_TABLE),
        ("the columns of the ledger of seeds", CREATE_LEDGER),
        ("the columns of the rows of seeds", CREATE_ROWS),
    ],
)
def test_tables_columns_are_documented(marker: str, statement: str) -> None:
    columns = re.findall(
        r"^    \"?(\w+)\"? (\w+(?: precision)?(?:\(\d+\))?)", statement, re.MULTILINE
    )
    expected = [[name, kind] for name, kind in columns if name != "CONSTRAINT"]
    documented = table(REFERENCE / "tables.md", marker)
    assert [row[:2] for row in documented] == expected


def test_finding_ids_are_documented() -> None:
    used = {
        number
        for path in (ROOT / "domain_migrations").rglob("*.py")
        for number in re.findall(r'"([HCDUBL]\d{3})"', path.read_text())
    }
    assert used >= {"H001", "C001", "D001"}
    documented = set(re.findall(r"`([A-Z]\d{3})`", (REFERENCE / "findings.md").read_text()))
    assert used - documented == set()


def test_requirements_are_pinned_and_have_a_reason() -> None:
    readme = (ROOT / "README.md").read_text().partition("## Dependencies")[2].lower()
    for name in ("runtime", "tools", "benchmarks"):
        direct, _, others = (ROOT / f"requirements/{name}.txt").read_text().partition("\n\n")
        lines = [line for line in (direct + others).splitlines() if not line.startswith("#")]
        assert [line for line in lines if "==" not in line] == []
        for line in direct.splitlines()[1:]:
            package = re.split(r"[\[=]", line)[0]
            assert package.lower().replace("psycopg", "psycopg 3") in readme, package


def test_packages_are_named_as_they_can_be_installed() -> None:
    """The engine is not in a package index, so its extras cannot be installed by name there."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {one for names in pyproject["optional-dependencies"].values() for one in names}
    files = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "domain_migrations").rglob("*.py")]
    texts = {path: path.read_text() for path in (*files, ROOT / "README.md")}
    assert [path for path, text in texts.items() if f"{pyproject['name']}[" in text] == []
    pattern = r"""pip install (?:--upgrade )?["']([\w-]+>=[\d.]+)["']"""
    named = {one for text in texts.values() for one in re.findall(pattern, text)}
    assert named
    assert named <= extras
