"""The names that ``domain_migrations.api`` exports, and the imports that they cause."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from domain_migrations import api

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
