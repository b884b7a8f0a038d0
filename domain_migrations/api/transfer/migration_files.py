"""Migrations that are planned, as files: named, numbered and written as ``makemigrations`` does."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.utils import find_formatters
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter

from ...engine.runner.loader import LINEAR
from ...engine.sources.files import MigrationKey
from ..source_code.file_changes import FileChange

HEADER = "class Migration(migrations.Migration):\n\n"
STAGE = "    stage = 'before'\n\n"
"""What the writer leaves out: the code after the deployment needs the table in its new place."""

LAST = "max_migration.txt"
"""The file in which django-linear-migrations keeps the name of an app's last migration."""


@dataclass(frozen=True)
class PlannedMigration:
    """A migration that is not written yet."""

    key: MigrationKey
    path: Path
    text: str

    @classmethod
    def of(cls, migration: Migration, *, is_staged: bool = False) -> PlannedMigration:
        writer = MigrationWriter(migration)
        text = writer.as_string()
        if is_staged:
            text = text.replace(HEADER, f"{HEADER}{STAGE}", 1)
        return cls(MigrationKey.of(migration), Path(writer.path), text)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PlannedMigration:
        return cls(MigrationKey(value["app"], value["name"]), Path(value["path"]), value["text"])

    def as_json(self) -> dict[str, Any]:
        return {**self.key.as_json(), "path": str(self.path), "text": self.text}


def leaf_of(graph: MigrationGraph, app_label: str) -> tuple[str, str] | None:
    """Return the app's last migration; None if it has none."""
    leaves: list[tuple[str, str]] = graph.leaf_nodes(app_label)
    return leaves[0] if leaves else None


def new_migration(
    app_label: str,
    operations: list[Operation],
    dependencies: Iterable[tuple[str, str]],
    last: tuple[str, str] | None,
) -> Migration:
    """Return a migration that comes after the app's last one.

    Arguments:
        dependencies: besides the last one, which may be among them.
        last: the app's last migration, None if this is its first.
    """
    number = 1 if last is None else (MigrationAutodetector.parse_number(last[1]) or 0) + 1
    migration: Any = Migration("", app_label)  # django-stubs declares what follows as the class's
    migration.operations = operations
    migration.name = f"{number:04d}_{migration.suggest_name()}"
    migration.dependencies = list(dict.fromkeys([*([last] if last else []), *dependencies]))
    planned: Migration = migration
    return planned


def files_of(migrations: Iterable[PlannedMigration]) -> Iterator[FileChange]:
    """Yield the files of planned migrations, and what belongs to them in their folders."""
    last: dict[Path, PlannedMigration] = {}
    for each in migrations:
        yield FileChange(each.path, None, _formatted(each))
        last[each.path.parent] = each
    for folder, each in last.items():
        package = folder / "__init__.py"
        if not package.is_file():
            yield FileChange(package, None, b"")
        file = folder / LAST
        if file.is_file() or (not package.is_file() and apps.is_installed(LINEAR)):
            before = file.read_bytes() if file.is_file() else None
            yield FileChange(file, before, f"{each.key.name}\n".encode())


def _formatted(planned: PlannedMigration) -> bytes:
    """Return the text as ``makemigrations`` leaves it: formatted by black, if that is installed.

    Mirrors ``run_formatters``, which takes files.
    """
    text = planned.text.encode()
    black = find_formatters().get("black_path")
    if not black:
        return text
    done = subprocess.run(
        [black, "--fast", "--quiet", "--stdin-filename", str(planned.path), "-"],
        input=text,
        capture_output=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 and done.stdout else text
