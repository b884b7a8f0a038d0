"""The Python modules of the project itself, and which app may import which."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.apps import apps
from django.apps.config import AppConfig

from ...domains import get_domain_for
from ...engine.sources.files import is_installed, migration_files, migrations_folders
from .source_style import Style, find_line_length

OURS = __name__.partition(".")[0]


@dataclass(frozen=True)
class ProjectModule:
    """A Python file of the project.

    Attributes:
        name: its dotted name.
        app: the app that it belongs to; None for what belongs to none, such as the settings.
    """

    path: Path
    name: str
    app: AppConfig | None

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


class Project:
    """The project that the apps run in, without installed packages."""

    @cached_property
    def configs(self) -> list[AppConfig]:
        """The project's own apps; those that are within others come first."""
        found = [
            config
            for config in apps.get_app_configs()
            if config.name != OURS and not is_installed(Path(config.path))
        ]
        return sorted(found, key=lambda config: len(Path(config.path).parts), reverse=True)

    @cached_property
    def roots(self) -> list[Path]:
        """The folders that the apps are imported from; of nested ones the outermost."""
        found = {_root(config) for config in self.configs}
        return sorted(root for root in found if found.isdisjoint(root.parents))

    @cached_property
    def style(self) -> Style:
        lengths = (find_line_length(root) for root in self.roots)
        packages = {
            path.stem
            for root in self.roots
            for path in root.iterdir()
            if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
        }
        packages |= {config.name.partition(".")[0] for config in self.configs}
        return Style(next(filter(None, lengths), 88), frozenset(packages))

    def migrations(self) -> list[Path]:
        """Return the source files of the project's migrations."""
        return [path for config in self.configs for path in migration_files(config.label)]

    def files(self, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """Yield the project's files with one of the suffixes, sorted, without migrations."""
        migrations = {
            folder.resolve()
            for config in self.configs
            for folder in migrations_folders(config.label)
        }
        for root in self.roots:
            for folder, folders, names in os.walk(root):
                folders[:] = sorted(
                    name for name in folders if _is_source(Path(folder, name), migrations)
                )
                yield from (Path(folder, name) for name in sorted(names) if name.endswith(suffixes))

    def modules(self) -> Iterator[ProjectModule]:
        """Yield the project's modules, without migrations."""
        for path in self.files((".py",)):
            yield self.module(path)

    def module(self, path: Path) -> ProjectModule:
        """Return the module of a file, which may not exist yet."""
        app = self.app_of(path)
        parts = path.with_suffix("").parts
        if app is not None:
            base = Path(app.path).resolve()
            inner = path.with_suffix("").relative_to(base).parts
            parts = (*app.name.split("."), *inner)
        else:
            root = next(root for root in self.roots if root in path.parents)
            parts = path.with_suffix("").relative_to(root).parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        return ProjectModule(path, ".".join(parts), app)

    def app_of(self, path: Path) -> AppConfig | None:
        """Return the app whose folder a file is in."""
        for config in self.configs:
            if Path(config.path).resolve() in path.parents:
                return config
        return None


def may_import(importer: AppConfig | None, imported: AppConfig) -> bool:
    """Return whether an app's code may import another's: of its own domain, or of core."""
    if importer is None:
        return True
    domain = get_domain_for(imported.label)
    return domain.is_core or domain == get_domain_for(importer.label)


def _root(config: AppConfig) -> Path:
    return Path(config.path).resolve().parents[config.name.count(".")]


def _is_source(folder: Path, migrations: set[Path]) -> bool:
    return not (
        folder.name.startswith(".")
        or folder.name in {"__pycache__", "node_modules", "site-packages"}
        or folder in migrations
        or (folder / "pyvenv.cfg").exists()
    )
