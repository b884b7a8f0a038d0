"""The names that ``domain_migrations.api`` exports, and the imports that they cause."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from domain_migrations import __main__, __version__, api

LIST_IMPORTS = """
import json, sys
import domain_migrations.api
print(json.dumps(sorted(name for name in sys.modules if name.startswith("domain_migrations"))))
"""


@pytest.mark.parametrize("name", api.__all__)
def test_exported_name_can_be_imported(name: str) -> None:
    exported = getattr(api, name)
    assert name in (exported.__name__, exported.__name__.rpartition(".")[2])
    assert name in dir(api)


def test_names_and_modules_agree() -> None:
    assert {*api.MODULES, "repair"} == set(api.__all__)
    assert list(api.__all__) == sorted(api.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'domain_migrations\.api' has no attribute"):
        _ = api.migrate_everything


def test_importing_the_package_imports_no_other_module_of_the_engine() -> None:
    command = [sys.executable, "-c", LIST_IMPORTS]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert json.loads(found) == ["domain_migrations", "domain_migrations.api"]


def test_versions_are_printed_without_a_project() -> None:
    command = [sys.executable, "-m", "domain_migrations", "--version"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    python = ".".join(map(str, sys.version_info[:3]))
    assert found == (
        f"domain_migrations {__version__} (Django {version('Django')}, psycopg"
        f" {version('psycopg')}, Python {python})\n"
    )


def test_without_an_option_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main([]) == 0
    assert "manage.py help" in capsys.readouterr().out


def test_a_missing_requirement_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "REQUIRED", ("a-package-that-nobody-has",))
    assert "a-package-that-nobody-has is not installed" in __main__.versions()
