"""Django's admin without pages, in processes that serve none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.commands import ROOT, process_environment

SOURCE = """
import sys
sys.argv = {arguments!r}
import django
django.setup()
from django.apps import apps
from django.contrib import admin
assert apps.is_installed("django.contrib.admin")
print(sum(name.endswith(".admin") for name in sys.modules), len(admin.site._registry))
"""


def started(*arguments: str) -> tuple[int, int]:
    """The admin modules, and the models on the admin's site, of a process for the command."""
    done = subprocess.run(
        [sys.executable, "-c", SOURCE.format(arguments=["manage.py", *arguments])],
        cwd=ROOT,
        env=process_environment({"DJANGO_SETTINGS_MODULE": "config.settings"}),
        capture_output=True,
        text=True,
        check=True,
    )
    modules, models = done.stdout.split()
    return int(modules), int(models)


@pytest.mark.parametrize("arguments", [("migrate_domain", "hr"), ("show_domains",)])
def test_no_page_is_imported(arguments: tuple[str, ...]) -> None:
    # Of packages: django.contrib.admin itself.
    assert started(*arguments) == (1, 0)


@pytest.mark.parametrize(
    "arguments", [("runserver",), ("check",), ("migrate", "hr"), ("test", "show_domains"), ()]
)
def test_all_pages_are_there_otherwise(arguments: tuple[str, ...]) -> None:
    modules, models = started(*arguments)
    assert modules > 5
    assert models > 30
