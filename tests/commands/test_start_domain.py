"""A new domain: complete, in the right places, and only under a name that is free."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain_migrations.api.start.name_checks import check_names, check_owner
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.catalog import execute, history, query, tables
from tests.support.commands import ROOT, process_environment
from tests.support.fork_server import COVERAGE
from tests.support.projects import Project, domain_app
from tests.support.servers import TestServer

ON_CRM = {
    "adopt_domain": ["crm"],
    "changed_domains": ["--since", "HEAD"],
    "distribute_domain": ["crm", "--noinput"],
    "extract_domain": ["crm", "plan", "--to", "default"],
    "grant_domain": ["crm", "--print"],
    "inspect_domain": ["crm"],
    "lint_domain": ["crm"],
    "makemigrations": ["--check", "--dry-run"],
    "map_domains": [],
    "migrate": ["crm"],
    "migrate_domain": ["crm"],
    "migrate_fleet": ["crm", "--databases", "default"],
    "prove_domain": ["crm"],
    "rebase_migration": ["crm"],
    "repair_domain": ["crm", "--prune", "--noinput"],
    "seed_domain": ["crm"],
    "show_domains": ["crm"],
    "showmigrations": ["crm"],
    "snapshot_domain": ["crm"],
    "sqlmigrate": ["crm", "0001"],
    "squashmigrations": ["crm", "0002", "--noinput"],
    "start_domain": ["crm"],
    "transfer_model": ["crm.Item", "crm"],
    "verify_domain": ["crm", "--only", "history,checksum,drift,boundary"],
}
"""How each command of the README is tried on the new domain."""

REFUSING = {
    "adopt_domain": 'The app "crm" is part of the domain "crm" already',
    "distribute_domain": 'The database "default" does not belong to a cluster',
    "extract_domain": 'The domain "crm" is in "default" already',
    "inspect_domain": "crm",
    "rebase_migration": "does not seem to contain a merge conflict",
    "squashmigrations": "Cannot find a migration matching '0002' from app 'crm'",
    "start_domain": "crm",
    "transfer_model": "thing blocks the transfer",
}
"""Commands that have nothing to do there but to say so."""

DRIVER = """
import io, json, sys
import django
django.setup()
from django.core.management import CommandError, call_command
said = {}
for command, *arguments in json.loads(sys.argv[1]):
    out = io.StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=out)
    except CommandError as exc:
        out.write(f"CommandError: {exc}")
    said[command] = out.getvalue()
print(json.dumps(said))
"""


class Clone:
    """A fresh clone of this repository, on a database of its own."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.environment = {**environment, "DJANGO_SETTINGS_MODULE": "config.settings"}
        if (ROOT / ".git").exists():
            subprocess.run(["git", "clone", "--quiet", ROOT, path], check=True, timeout=120)
        else:
            shutil.copytree(ROOT, path, ignore=shutil.ignore_patterns(".*", "build", "__pycache__"))

    def python(self, *arguments: str, status: int = 0) -> str:
        # Tools, such as mypy, say nothing of the engine's coverage.
        unmeasured = {COVERAGE: None} if arguments[0] == "-m" else {}
        environment = process_environment({**self.environment, **unmeasured})
        result = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    def call(self, commands: list[list[str]]) -> dict[str, str]:
        """Run commands one after the other in one process; what each of them said."""
        said: dict[str, str] = json.loads(
            self.python("-c", DRIVER, json.dumps(commands)).splitlines()[-1]
        )
        return said


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", "__pycache__"} & set(path.parts)
    }


@pytest.fixture
def clone(migrated_database: str, postgres_server: TestServer, tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone", postgres_server.environment(migrated_database))


def test_in_a_fresh_clone(clone: Clone) -> None:
    before = contents(clone.path)
    execute("CREATE TABLE public.items (id integer)")

    said = clone.python("manage.py", "start_domain", "crm")

    after = contents(clone.path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"config/settings.py", "pyproject.toml"}
    assert after.keys() - before.keys() == {
        *("crm/__init__.py", "crm/admin.py", "crm/apps.py", "crm/models.py"),
        *("crm/migrations/__init__.py", "crm/migrations/0001_initial.py"),
        *("crm/migrations/max_migration.txt", "crm/seeds/001_reference.json"),
        *("crm/seeds/README.md", "crm/tests/__init__.py", "crm/tests/test_crm_items.py"),
    }
    assert all(name in said for name in changed | (after.keys() - before.keys()))

    # Every command of the README, the checks before and the same name again after it.
    readme = (
        (clone.path / "README.md").read_text().partition("## Commands")[2].partition("\n## ")[0]
    )
    named = re.findall(r"^\| `(\w+)", readme, re.MULTILINE)
    assert {"migrate_domain", "start_domain"} <= set(named) <= ON_CRM.keys()
    last = [name for name in named if name in ("snapshot_domain", "start_domain")]
    named = ["migrate_domain", *(name for name in named if name not in ("migrate_domain", *last))]
    outputs = clone.call(
        [
            ["check"],
            *([name, *ON_CRM[name]] for name in (*named, *last)),
        ]
    )
    assert outputs["makemigrations"] == "No changes detected\n"
    assert "crm: 1 applied" in outputs["migrate_domain"]
    assert "crm: proven" in outputs["prove_domain"]
    for name, output in outputs.items():
        assert ("CommandError" in output) == (name in REFUSING), (name, output)
        assert REFUSING.get(name, "") in output
    assert tables("crm") >= {"items", "django_migrations_crm"}
    assert query("SELECT code FROM crm.items") == [("EXAMPLE",)]  # seed_domain
    assert history("crm.django_migrations_crm") == [("crm", "0001_initial")]
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.items'::regclass AND attnum > 0"
    ) == [(1,)]

    kept = {name: text for name, text in contents(clone.path).items() if name in after}
    assert kept == after
    again = clone.python("manage.py", "start_domain", "crm", status=1)
    assert again == (
        'CommandError: "crm" cannot be the name of a domain: it is already the name of a domain.'
        " Choose another name.\n"
    )
    assert {name: text for name, text in contents(clone.path).items() if name in after} == after


@pytest.mark.slow_stress
def test_the_result_passes_the_project_s_own_tools(clone: Clone) -> None:
    clone.python("manage.py", "start_domain", "night_shift", "--schema", "shifts")
    clone.python("-m", "ruff", "check", ".")
    clone.python("-m", "ruff", "format", "--check", ".")
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    clone.environment["PYTHONPATH"] = "."
    clone.python("-c", lint, "--no-cache")
    models = clone.path / "night_shift/models.py"
    models.write_text(models.read_text() + "\nimport hr.models\n")
    assert "No domain imports another" in clone.python("-c", lint, "--no-cache", status=1)
    clone.python("-m", "pytest", "-q", "-n0", "night_shift")


@pytest.mark.slow_stress
def test_the_result_passes_the_project_s_tests(clone: Clone, stress_size: str) -> None:
    clone.python("manage.py", "start_domain", "crm")
    clone.python("-m", "mypy")
    which = (
        ["tests"] if stress_size == "full" else ["tests/test_imports.py", "tests/test_checks.py"]
    )
    clone.python("-m", "pytest", "-q", *which)


# Names


@pytest.fixture(scope="module")
def connected(module_database: str) -> str:
    execute("CREATE SCHEMA left_behind")
    return module_database


NAMES = {
    "core": "is the name of the main system",
    "hr": "is already the name of a domain",
    "auth": "is the label of the app django.contrib.auth",
    "json": "is the name of a Python module that can be imported",
    "winreg": "is the name of a Python module that can be imported",
    "pytest": "is the name of a Python module that can be imported",
    "config": "is the name of a Python module that can be imported",
    "benchmarks": "is the name of a Python module that can be imported",
    "there": "already exists in {root}",
    "class": "is a keyword of Python",
    "match": "is a keyword of Python",
    "a" * 38: "has 38 bytes",
    **dict.fromkeys(
        ["Crm", "9lives", "_crm", "crm-x", "crm.x", "crm x", "crm\n", "ยา", "", "../crm", "crm/x"],
        "has to begin with a lower-case letter and to consist of lower-case letters, digits and"
        " underscores",
    ),
}


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_existing_and_invalid_names_are_refused(connected: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(InvalidConfiguration) as refused:
        check_names(name, "free", root=tmp_path, database="default")
    why = NAMES[name].format(root=tmp_path)
    assert refused.value.message == f'"{name}" cannot be the name of a domain: it {why}.'


SCHEMAS = {
    "public": "is core's",
    "pg_crm": "has a name that PostgreSQL reserves",
    "information_schema": "is PostgreSQL's own",
    "Crm": "has a name that would need escaping",
    'c"rm': "has a name that would need escaping",
    "a" * 64: "has a name of 64 bytes",
    "hr": 'belongs to the domain "hr"',
    "order": "is a reserved word of PostgreSQL",
    "left": "is a reserved word of PostgreSQL",
    "left_behind": 'already exists in the database "default"',
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_existing_and_invalid_schemas_are_refused(
    connected: str, tmp_path: Path, schema: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        check_names("crm", schema, root=tmp_path, database="default")
    assert refused.value.message == (
        f'"{schema}" cannot be the schema of a domain: it {SCHEMAS[schema]}.'
    )
    assert refused.value.hint == "Give another with --schema."


def test_names_that_are_free(connected: str, tmp_path: Path) -> None:
    for name, schema in [("crm", "crm"), ("order", "orders"), ("a" * 37, "b" * 63), ("x1_", "_x")]:
        check_names(name, schema, root=tmp_path, database="default")
    assert list(tmp_path.iterdir()) == []


# In somebody else's project


@pytest.fixture
def foreign(project: Callable[..., Project]) -> Project:
    return project({"lab": domain_app("lab", migrations={})})


def test_in_a_foreign_project(foreign: Project) -> None:
    """No marker, no pyproject.toml, no tests folder, an empty database."""
    started = foreign.manage("start_domain", "crm", "--owner", "@sales")
    assert started.returncode == 0, started.stderr
    assert "created crm/tests/test_crm_items.py" in started.stdout
    assert "add to pyproject.toml:\n\n[[tool.importlinter.contracts]]\n" in started.stdout
    assert '    "lab",\n    "crm",\n]' in started.stdout
    assert not (foreign.path / "pyproject.toml").exists()
    assert not (foreign.path / "crm/migrations/max_migration.txt").exists()
    assert "/crm/ @sales\n" in (foreign.path / "CODEOWNERS").read_text()
    assert foreign.manage("makemigrations", "--check", "--dry-run").returncode == 0
    migrated = foreign.manage("migrate_domain", "crm")
    assert migrated.returncode == 0, migrated.stderr
    assert "items" in tables("crm")

    # The longest name, which its history's and its journal's names have to have room for.
    longest = "s" * 37
    second = foreign.manage("start_domain", longest)
    assert second.returncode == 0, second.stderr
    assert foreign.manage("migrate_domain", longest).returncode == 0
    assert history(f"{longest}.django_migrations_{longest}") == [(longest, "0001_initial")]
    settings = (foreign.path / "settings.py").read_text()
    assert settings.count("# start_domain adds a domain above this line.") == 1
    assert foreign.manage("check").returncode == 0


@pytest.mark.parametrize("what", ["write", "settings", "schema"])
def test_a_failure_leaves_no_files(foreign: Project, what: str) -> None:
    arguments: list[str] = []
    if what == "write":
        (foreign.path / "CODEOWNERS").mkdir()
        arguments = ["--owner", "@sales"]
        message = "CODEOWNERS cannot be written: File exists. Nothing was kept."
    elif what == "settings":
        settings = foreign.path / "settings.py"
        settings.write_text(
            settings.read_text().replace("INSTALLED_APPS = ", "INSTALLED_APPS = [] + ")
        )
        message = (
            "The settings settings have no place for a new domain. Put this line into"
            " INSTALLED_APPS, after the last app: # start_domain adds a domain above this line."
        )
    else:
        execute("CREATE SCHEMA crm")
        message = 'it already exists in the database "default". Choose another name.'
    before: dict[str, Any] = contents(foreign.path)

    failed = foreign.manage("start_domain", "crm", *arguments)

    assert failed.returncode == 1
    assert message in failed.stderr
    assert contents(foreign.path) == before
    assert not (foreign.path / "crm").exists()


def test_manage_test_and_pytest_find_the_tests(foreign: Project) -> None:
    (foreign.path / "pytest.ini").write_text(
        "[pytest]\nDJANGO_SETTINGS_MODULE = settings\ntestpaths = checks\n"
    )
    started = foreign.manage("start_domain", "crm")
    assert "pytest finds its tests once testpaths in pytest.ini contains crm.\n" in started.stdout
    by_django = foreign.manage("test")
    assert by_django.returncode == 0, by_django.stderr
    # Since 3.12.1, Python does not count a test that is skipped.
    assert re.search(r"Ran [23] tests", by_django.stderr)
    assert "skipped=1" in by_django.stderr
    (foreign.path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\n")
    by_pytest = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=foreign.path,
        env=process_environment({"PYTHONPATH": f"{ROOT}:{foreign.path}"}),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert by_pytest.returncode == 0, by_pytest.stdout + by_pytest.stderr
    assert "2 passed, 1 skipped" in by_pytest.stdout  # It has no admin.


def test_tests_in_the_package_of_the_project(foreign: Project) -> None:
    foreign.write("tests/__init__.py", "")
    foreign.manage("start_domain", "crm")
    assert {path.name for path in (foreign.path / "tests/crm").iterdir()} == {
        "__init__.py",
        "test_crm_items.py",
    }


def test_seeds_without_pyyaml(foreign: Project) -> None:
    foreign.write("yaml.py", "raise ImportError('no PyYAML here')\n")
    foreign.manage("start_domain", "crm")
    foreign.manage("migrate_domain", "crm", "--with-dependencies")
    seeded = foreign.manage("seed_domain", "crm")
    assert seeded.returncode == 0, seeded.stderr
    assert query("SELECT code FROM crm.items") == [("EXAMPLE",)]


def test_dry_run(foreign: Project) -> None:
    (foreign.path / "CODEOWNERS").write_text("* @all\n")
    before = contents(foreign.path)
    shown = foreign.manage("start_domain", "crm", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert contents(foreign.path) == before
    assert "would be created crm/models.py\n" in shown.stdout
    assert "would be changed settings.py" in shown.stdout
    assert '  +    "crm",\n' in shown.stdout
    assert "CODEOWNERS has no owner of it. To have one, add: /crm/ @TEAM\n" in shown.stdout
    assert shown.stdout.endswith("Nothing was written.\n")
    refused = foreign.manage("start_domain", "lab", "--dry-run")
    assert refused.returncode == 1
    assert "it is already the name of a domain" in refused.stderr


OWNERS = ["@sales", "@org/sales-team", "@org/group/team", "@@maintainer", "a.b+c@example.co.uk"]


@pytest.mark.parametrize("owner", [*OWNERS, " ".join(OWNERS)])
def test_owners(owner: str) -> None:
    check_owner(owner)


@pytest.mark.parametrize(
    "owner",
    [
        "",
        " ",
        "@a\n* @b",
        "@a\r* @b",
        "@a\u2028* @b",
        "@a # all",
        "@a\t@b",
        "sales",
        "@",
        "@a ",
        "!@a",
    ],
)
def test_what_is_no_owner_is_refused(owner: str) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        check_owner(owner)
    assert refused.value.message == f"{owner!r} cannot be the owner in CODEOWNERS."


def test_owners_in_another_encoding(foreign: Project) -> None:
    (foreign.path / "CODEOWNERS").write_bytes(b"* @\xe4\n")
    before = contents(foreign.path)
    refused = foreign.manage("start_domain", "crm", "--owner", "@sales")
    assert refused.stderr.endswith("CODEOWNERS is not UTF-8. Correct it.\n")
    assert contents(foreign.path) == before


def test_an_owner_of_two_lines_changes_nothing(foreign: Project) -> None:
    before = contents(foreign.path)
    refused = foreign.manage("start_domain", "crm", "--owner", "@a\n* @b")
    assert refused.returncode == 1
    assert refused.stderr == (
        "CommandError: '@a\\n* @b' cannot be the owner in CODEOWNERS. Give users, teams or"
        " addresses, separated by spaces: --owner @org/team\n"
    )
    assert contents(foreign.path) == before
