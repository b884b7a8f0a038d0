"""Migrations of a domain that are not in this repository, run in this process."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent, indent

from django.apps import apps
from django.conf import settings
from django.test import override_settings

from domain_migrations.engine.sources.files import migrations_on_disk

HEADER = """\
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("{app}", "{before}")]
"""

_numbers = itertools.count(1)


@contextmanager
def pending(folder: Path, app: str, migrations: Mapping[str, str]) -> Iterator[None]:
    """Give an app more migrations, each after the one before it: name → body of its class."""
    package = f"more_migrations_{app}_{next(_numbers)}"
    shutil.copytree(Path(apps.get_app_config(app).path) / "migrations", folder / package)
    before = max(name for _, name in migrations_on_disk([app]))
    for name, body in migrations.items():
        source = HEADER.format(app=app, before=before) + indent(dedent(body), "    ")
        (folder / package / f"{name}.py").write_text(source)
        before = name
    (folder / package / "max_migration.txt").write_text(before + "\n")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        with override_settings(MIGRATION_MODULES={**settings.MIGRATION_MODULES, app: package}):
            yield
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]
