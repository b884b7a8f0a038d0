"""A sample domain with other migrations than its own, in this process and a new database."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from django.test import override_settings

from tests.support.catalog import execute

HEADER = "from django.db import migrations, models\n"
_numbers = itertools.count(1)


class TemporaryMigrations:
    """The migrations of the domain `hr`, whose schema is empty, in a folder that tests write.

    A new write takes the place of all files, as a new release does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = ""

    @contextmanager
    def release(self, migrations: Mapping[str, str]) -> Iterator[Path]:
        """Have these migrations, and no others; the package's folder."""
        name = f"rewritten_{next(_numbers)}"
        package = self.folder / name
        package.mkdir()
        (package / "__init__.py").touch()
        for migration, source in migrations.items():
            (package / f"{migration}.py").write_text(HEADER + dedent(source))
        importlib.invalidate_caches()
        sys.path.insert(0, str(self.folder))
        try:
            with override_settings(MIGRATION_MODULES={"hr": name}):
                yield package
        finally:
            sys.path.remove(str(self.folder))
            for module in [module for module in sys.modules if module.startswith(name)]:
                del sys.modules[module]
            shutil.rmtree(package)


def without_migrations(folder: Path) -> TemporaryMigrations:
    """Take away all that the domain `hr` has in the current database."""
    execute("DROP SCHEMA IF EXISTS hr CASCADE")
    return TemporaryMigrations(folder)
