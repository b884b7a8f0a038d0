"""The edits of the files of apps that become a domain, and what cannot be edited."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Collection
from pathlib import Path

from django.apps.config import AppConfig
from django.db.migrations.loader import MigrationLoader

from ...engine.sources.files import is_installed, migration_file, migration_files
from ...engine.sources.parsing import FORMER
from ..source_code.blocker import Blocker
from ..source_code.source_editor import SourceEditor
from .code_tables import MigrationEdits, TableNames, model_edits

NEW_CONFIG = """\
from domain_migrations.domains import DomainConfig


class {camel}Config(DomainConfig):
    name = "{name}"
"""
IN_PACKAGE = (
    "MIGRATION_MODULES can replace a package's migrations, but not the tables that its models name:"
    " copy the app into the project, or leave it in core."
)
FOREIGN_MODELS = "{} belongs to an installed package and has the models {}, which cannot be edited."
OWN_MODELS = (
    "Write these models into the app's own models.py, derived from the package's abstract ones, and"
    " import the package's models after them, if at all; run the command again."
)


class AppEditor(SourceEditor):
    """Collects the edits of apps, and what cannot be edited."""

    in_package = IN_PACKAGE

    def __init__(self, domain: str, schema: str) -> None:
        super().__init__()
        self.domain, self.schema = domain, schema

    def edit_app(self, config: AppConfig, names: TableNames) -> None:
        self._edit_config(config)
        self._edit_models(config, names)
        self._edit_migrations(config, names)

    def _edit_config(self, config: AppConfig) -> None:
        from . import code_edits

        values = {"schema": self.schema}
        if self.domain != config.label:
            values["domain"] = self.domain
        kind = type(config)
        path = Path(config.path) / "apps.py"
        if kind is AppConfig:
            camel = "".join(part.capitalize() for part in config.label.split("_"))
            text = NEW_CONFIG.format(camel=camel, name=config.name)
            text += "".join(f'    {name} = "{value}"\n' for name, value in values.items())
            before = self.content(path)
            self.write(
                path, (before.rstrip() + b"\n\n\n" if before.strip() else b"") + text.encode()
            )
            return
        self.edit(
            Path(inspect.getfile(kind)),
            lambda source: code_edits.edit_config(source, kind.__name__, values),
            f'the config of the app "{config.label}" there, a DomainConfig with'
            f' schema = "{self.schema}"',
        )

    def _edit_models(self, config: AppConfig, names: TableNames) -> None:
        from ..source_code.model_tables import ModelEdit, edit_models

        files: dict[Path, dict[str, ModelEdit]] = {}
        for model, _, edit in model_edits(config, names):
            path = Path(inspect.getfile(sys.modules[model.__module__]))
            files.setdefault(path, {})[model.__qualname__] = edit
        for path, edits in sorted(files.items()):
            if is_installed(path):
                classes = ", ".join(sorted(edits))
                self.blockers.append(Blocker(FOREIGN_MODELS.format(path, classes), OWN_MODELS))
                continue
            lines = ", ".join(f"{name}: {edit.db_table}" for name, edit in edits.items())
            self.edit(
                path,
                functools.partial(edit_models, edits=edits),
                f"db_table in the Meta of its models ({lines})",
            )

    def _edit_migrations(self, config: AppConfig, names: TableNames) -> None:
        from .migration_edits import edit_migration

        loader = MigrationLoader(None, ignore_no_migrations=True)
        own = {
            name: migration
            for (label, name), migration in loader.disk_migrations.items()
            if label == config.label
        }
        for name, edits in MigrationEdits(config.label, own, names).edits.items():
            path = migration_file((config.label, name))
            if not edits:
                continue
            if path is None:
                self.blockers.append(
                    Blocker(
                        f"The migration {config.label}.{name} has no source file.",
                        "Put its file back.",
                    )
                )
                continue
            self.edit(
                path,
                functools.partial(edit_migration, edits=edits),
                "the table in each CreateModel and AlterModelTable of the migration, in"
                f' "{self.schema}"',
            )

    def declare_former(self, label: str, others: Collection[str]) -> None:
        """Declare former dependencies in the app's last migration that converts a foreign key.

        Where none does, the app's last migration declares them.
        """
        from .migration_edits import add_former_dependencies

        paths = migration_files(label)
        converting = [path for path in paths if b"ConvertToReference" in path.read_bytes()]
        if paths:
            self.edit(
                (converting or paths)[-1],
                lambda source: add_former_dependencies(source, others),
                f"{FORMER} = {sorted(others)} in its class Migration",
            )
