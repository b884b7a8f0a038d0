"""Migrations on disk, by their files' names, without importing any of them."""

from __future__ import annotations

import importlib.util
import inspect
import os
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.conf import settings

from ..messages import printable

if TYPE_CHECKING:
    # Django's migrations are expensive to import, and only names of files are read here.
    from django.db.migrations.migration import Migration


ADOPTION_FILE = "adoption.toml"
HISTORY_FILE = "history.toml"

LONGEST_KEY = 600
"""The characters of a key that messages show; a history's columns take 255 for each part."""


class MigrationKey(NamedTuple):
    """A migration's app label and name."""

    app: str
    name: str

    @classmethod
    def of(cls, migration: Migration) -> MigrationKey:
        """Return the key of a migration that was loaded."""
        return cls(migration.app_label, migration.name)

    def __str__(self) -> str:
        text = printable(f"{self.app}.{self.name}")
        return text if len(text) <= LONGEST_KEY else f"{text[:LONGEST_KEY]}…"

    def as_json(self) -> dict[str, Any]:
        return {"app": self.app, "name": self.name}


def migrations_module(app_label: str) -> str | None:
    """Return the dotted name of the app's migrations package; None if it is disabled.

    Mirrors ``MigrationLoader.migrations_module``.
    """
    if app_label in settings.MIGRATION_MODULES:
        module: str | None = settings.MIGRATION_MODULES[app_label]
        return module
    return f"{apps.get_app_config(app_label).name}.migrations"


def adoption_file(app_label: str) -> Path | None:
    """Return the app's declaration of an adoption, if it has one; ``adoptions`` reads it."""
    return _beside_migrations(app_label, ADOPTION_FILE)


def history_file(app_label: str) -> Path | None:
    """Return the app's declaration of another tool's history; ``tool_histories`` reads it."""
    return _beside_migrations(app_label, HISTORY_FILE)


def _beside_migrations(app_label: str, name: str) -> Path | None:
    files = (folder / name for folder in migrations_folders(app_label))
    return next((path for path in files if path.is_file()), None)


def migrations_folders(app_label: str) -> list[Path]:
    """Return the folders of the app's migrations package.

    An app without a package, or one that is no longer installed, has none.
    """
    try:
        module = migrations_module(app_label)
    except LookupError:
        return []
    if module is None:
        return []
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return []
    # An empty folder is a namespace package, which has no origin and which Django ignores.
    if spec is None or spec.origin is None or spec.submodule_search_locations is None:
        return []
    return [Path(folder) for folder in spec.submodule_search_locations]


def migration_files(app_label: str) -> list[Path]:
    """Return the source files of the app's migrations, sorted."""
    # System checks list thousands: Path.glob and comparing Paths would take most of the time.
    return [
        folder / name
        for folder in sorted(migrations_folders(app_label))
        for name in sorted(os.listdir(folder) if folder.is_dir() else ())  # noqa: PTH208
        if name.endswith(".py") and name[0] not in "_~"
    ]


def migrations_on_disk(app_labels: Iterable[str]) -> set[MigrationKey]:
    """Return the migrations of the apps, by their files' names alone.

    Mirrors ``MigrationLoader.load_disk``.
    """
    return {
        MigrationKey(label, name)
        for label in app_labels
        for folder in migrations_folders(label)
        for name in _modules(folder)
        if name[0] not in "_~"
    }


def _modules(folder: Path) -> set[str]:
    """Return the folder's modules without packages.

    Like ``pkgutil.iter_modules``, which takes another system call for each entry.
    """
    try:
        # Creating a Path for each entry would take most of the time.
        entries = os.listdir(folder)  # noqa: PTH208
    except OSError:  # It may be in a zip file.
        entries = []
    names = {
        entry[:-3] if entry.endswith(".py") else inspect.getmodulename(entry) for entry in entries
    }
    if entries and names.isdisjoint(entries):
        return {name for name in names if name and "." not in name}
    found = pkgutil.iter_modules([str(folder)])
    return {name for _, name, is_package in found if not is_package}


def source_stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of the folder's source files, sorted by name."""
    with os.scandir(folder) as entries:
        found = [
            (entry.name, entry.stat())
            for entry in entries
            if entry.name.endswith(".py") and entry.name[0] not in "_~"
        ]
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))


def is_installed(path: Path) -> bool:
    """Return whether the file belongs to an installed package, which a project cannot edit."""
    return "site-packages" in path.parts or "dist-packages" in path.parts


def migration_file(key: tuple[str, str]) -> Path | None:
    """Return the migration's source file, or None if it does not exist."""
    label, name = key
    candidates = (folder / f"{name}.py" for folder in migrations_folders(label))
    return next((path for path in candidates if path.is_file()), None)
