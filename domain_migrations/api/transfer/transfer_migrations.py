"""The migrations that a transfer needs, proved in a project that has them and the edited code."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration

from ...domains import QualifiedName
from ...engine.sources.files import MigrationKey
from ..source_code import overlay
from ..source_code.blocker import Blocker
from ..source_code.file_changes import FileChange
from ..source_code.project_apps import is_package
from ..source_code.project_checks import missing_migrations, new_errors
from ..source_code.project_modules import Project
from . import planned_project
from .key_conversions import KeyConversion
from .migration_files import PlannedMigration, files_of, leaf_of, new_migration
from .model_move import ModelMove

NOTHING = "Nothing was written."
BY_HAND = "admin."
"""The ids of checks of what names a foreign key that becomes a reference."""

UNTESTED = ("conftest", "migrations", "seeds", "tests")
"""Folders and files of apps that are not imported for the proof."""


@dataclass(frozen=True)
class MigrationsPlan:
    """The new migrations in their order, and why they would not do.

    Attributes:
        unfinished: errors of system checks that go with what people have to edit.
    """

    migrations: tuple[PlannedMigration, ...] = ()
    unfinished: tuple[str, ...] = ()
    blockers: tuple[Blocker, ...] = ()

    @property
    def keys(self) -> tuple[MigrationKey, ...]:
        return tuple(each.key for each in self.migrations)

    @property
    def changes(self) -> tuple[FileChange, ...]:
        return tuple(files_of(self.migrations))


def plan_migrations(
    move: ModelMove,
    code: Sequence[FileChange],
    conversions: Sequence[KeyConversion],
    loader: MigrationLoader,
    compat_view_until: datetime.date | None = None,
) -> MigrationsPlan:
    """Return the conversions, the pair, and what ``makemigrations`` would still write after it.

    Arguments:
        code: the other changes of the project.
        loader: of the project as it is.
    """
    return _Planner(move, code, loader, compat_view_until).plan(conversions)


class _Planner:
    def __init__(
        self,
        move: ModelMove,
        code: Sequence[FileChange],
        loader: MigrationLoader,
        compat_view_until: datetime.date | None,
    ) -> None:
        self.move, self.code, self.loader = move, code, loader
        self.compat_view_until = compat_view_until
        self.known = sorted(missing_migrations(loader))

    def plan(self, conversions: Sequence[KeyConversion]) -> MigrationsPlan:
        before = [PlannedMigration.of(each) for each in self._conversions(conversions)]
        plan = MigrationsPlan(tuple(before), blockers=tuple(self._unmigrated()))
        if plan.blockers:
            return plan
        answer = self._ask(plan, planned_project.plan_pair.__name__, self._pair(before))
        if "failed" in answer:
            return replace(plan, blockers=(_does_not_start(answer),))
        plan = _extended(plan, answer)
        answer = self._check(plan)
        if answer.get("migrations") and not answer["unexpected"]:
            plan = _extended(plan, answer)
            answer = self._check(plan)
            answer["unexpected"] = [key["name"] for key in answer.get("migrations", ())]
        errors = new_errors(answer.get("errors", ()))
        left = [each for each in errors if conversions and each["id"].startswith(BY_HAND)]
        found = [Blocker(each["message"], each["hint"]) for each in errors if each not in left]
        return replace(
            plan,
            unfinished=tuple(each["message"] for each in left),
            blockers=(*found, *self._problems(answer)),
        )

    def _conversions(self, conversions: Sequence[KeyConversion]) -> Iterator[Migration]:
        for label in dict.fromkeys(each.app_label for each in conversions):
            operations = [each.operation() for each in conversions if each.app_label == label]
            yield new_migration(label, operations, (), leaf_of(self.loader.graph, label))

    def _unmigrated(self) -> Iterator[Blocker]:
        for label in (self.move.source.label, self.move.target.label):
            if label in self.known:
                yield Blocker(
                    f"The models of {label} have changes that are in no migration.",
                    f"Run: manage.py makemigrations {label}",
                )

    def _pair(self, before: Sequence[PlannedMigration]) -> dict[str, Any]:
        until = self.compat_view_until
        return {
            "source": self.move.source.label,
            "target": self.move.target.label,
            "name": self.move.model.__name__,
            "tables": dict(self.move.tables),
            "before": [list(each.key) for each in before],
            "compat_view_until": until.isoformat() if until is not None else None,
        }

    def _check(self, plan: MigrationsPlan) -> dict[str, Any]:
        question = {
            "model": self.move.new_label,
            "modules": sorted(self._modules()),
            "halves": [list(key) for key in plan.keys],
            "known": self.known,
        }
        return self._ask(plan, planned_project.check_project.__name__, question)

    def _ask(
        self, plan: MigrationsPlan, function: str, question: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = f"{planned_project.__name__}:{function}"
        return overlay.run_with([*self.code, *plan.changes], name, [json.dumps(question)])

    def _modules(self) -> Iterator[str]:
        """Yield the edited modules of apps that a process can import without running anything."""
        project = Project()
        for change in self.code:
            if change.path.suffix != ".py" or change.after is None:
                continue
            module = project.module(change.path)
            parts = module.name.split(".")
            if module.app and not any(p in UNTESTED or p.startswith("test_") for p in parts):
                yield module.name

    def _problems(self, answer: Mapping[str, Any]) -> Iterator[Blocker]:
        if "failed" in answer:
            yield _does_not_start(answer)
            return
        for name, error in answer["not_imported"].items():
            yield Blocker(f"With these edits {name} cannot be imported: {error}.", NOTHING)
        for change in answer["unexpected"]:
            yield Blocker(
                f"With these edits makemigrations would still write: {change}.",
                f"Edit the code by hand so that the model is what it was. {NOTHING}",
            )
        for each in map(PlannedMigration.from_json, answer["migrations"]):
            if is_package(apps.get_app_config(each.key.app)):
                yield Blocker(
                    f"With these edits {each.key.app}, an installed package, would need the"
                    f" migration {each.key.name}.",
                    NOTHING,
                )
        wanted = [QualifiedName.of(table) for table in self.move.tables.values()]
        written = [QualifiedName.of(table) for table in answer["tables"]]
        for was, wants in zip(written, wanted, strict=True):
            if was != wants:
                yield Blocker(
                    f"With these edits a table of {self.move.new_label} would be {was} instead of"
                    f" {wants}.",
                    "Name it in the code by hand, before.",
                )


def _extended(plan: MigrationsPlan, answer: Mapping[str, Any]) -> MigrationsPlan:
    found = map(PlannedMigration.from_json, answer["migrations"])
    return replace(plan, migrations=(*plan.migrations, *found))


def _does_not_start(answer: Mapping[str, Any]) -> Blocker:
    return Blocker(
        f"With these edits the project does not start: {answer['failed']}",
        f"Edit the code by hand. {NOTHING}",
    )
