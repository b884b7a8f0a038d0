"""The functions of ``transfer_model``: plan and write the move of a model to another domain."""

from __future__ import annotations

import datetime
import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.migrations.loader import MigrationLoader

from ...domains import QualifiedName
from ...engine.runner.results import FORMAT
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sources.files import MigrationKey
from ...exceptions import InvalidConfiguration
from ..source_code.blocker import Blocker
from ..source_code.file_changes import FileChange, apply_changes, diff_of, relative_path
from ..source_code.project_apps import project_root
from ..source_code.source_editor import SourceEditor
from .awaited_tables import awaited_tables
from .by_hand import ByHand
from .field_seeds import seeded_keys
from .key_conversions import KeyConversion, blocked_relations, illegal_keys, legal_keys
from .live_objects import LiveObject, LiveObjects, read_live_objects
from .model_move import ModelMove, plan_move
from .move_obstacles import move_obstacles
from .named_parts import app_named, model_named
from .seed_moves import SeedMove
from .transfer_migrations import plan_migrations


@dataclass(frozen=True, kw_only=True)
class TransferPlan:
    """What moves a model to an app of another domain; nothing is written yet.

    Attributes:
        root: the folder that shown paths are relative to.
        changes: the edits of the code and of seeds, and the new migrations.
        migrations: the new migrations, in their order.
        conversions: foreign keys that become references before.
        offers: references that may become foreign keys afterwards.
        by_hand: lines that are not edited.
        unfinished: errors of system checks until these lines are edited.
        compat_view_until: the last day of views under the old names.
        live: what one database has besides the models.
        is_written: whether the changes are on disk.
    """

    move: ModelMove
    root: Path
    changes: tuple[FileChange, ...] = ()
    migrations: tuple[MigrationKey, ...] = ()
    conversions: tuple[KeyConversion, ...] = ()
    offers: tuple[KeyConversion, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    unfinished: tuple[str, ...] = ()
    compat_view_until: datetime.date | None = None
    live: LiveObjects | None = None
    blockers: tuple[Blocker, ...] = ()
    is_written: bool = False

    @property
    def tables(self) -> dict[str, str]:
        """Each table → its name afterwards, both with their schemas."""
        return {
            str(QualifiedName.of(old)): str(QualifiedName.of(new))
            for old, new in self.move.tables.items()
        }

    def diff(self) -> str:
        """Return the changes as a unified diff."""
        return "".join(diff_of(change, self.root) for change in self.changes)

    def shown_path(self, path: Path) -> str:
        """Return a path as the diff shows it."""
        return relative_path(path, self.root)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "model": self.move.old_label,
            "to": self.move.new_label,
            "tables": self.tables,
            "migrations": [key.as_json() for key in self.migrations],
            "files": [self.shown_path(change.path) for change in self.changes],
            "diff": self.diff(),
            "conversions": [conversion.as_json() for conversion in self.conversions],
            "offers": [offer.as_json() for offer in self.offers],
            "by_hand": [
                {**line.as_json(), "path": self.shown_path(line.path)} for line in self.by_hand
            ],
            "unfinished": list(self.unfinished),
            "live": self.live.as_json() if self.live is not None else None,
            "blockers": [blocker.as_json() for blocker in self.blockers],
            "written": self.is_written,
        }


def plan_transfer(
    model: str,
    target: str,
    *,
    convert: bool = False,
    compat_view_until: datetime.date | None = None,
    database: str | None = None,
) -> TransferPlan:
    """Return what moves a model to another domain; changes nothing.

    Arguments:
        model: its label, such as ``"inventory.Company"``.
        target: the label of the app that gets it, or a domain with one such app.
        convert: write the conversions of foreign keys that the move makes illegal.
        compat_view_until: the last day of a view under the old name; no view unless given.
        database: the one that is read for what no model knows; the model's own unless given.

    Raises:
        UnknownModel, UnknownDomain: there is no such model, or no such app.
        InvalidConfiguration: libcst is missing.
        DomainMigrationsError: the database cannot be reached, or a seed cannot be read.
    """
    if importlib.util.find_spec("libcst") is None:
        raise InvalidConfiguration(
            "The code cannot be edited, because libcst is not installed.",
            hint='Run: pip install "libcst>=1.8"',
        )
    move = plan_move(model_named(model), app_named(target))
    loader = MigrationLoader(None, ignore_no_migrations=True)
    keys = illegal_keys(move) if move.source_domain != move.target_domain else []
    plan = TransferPlan(
        move=move,
        root=project_root(move.source),
        conversions=tuple(keys) if convert else (),
        compat_view_until=compat_view_until,
        blockers=tuple(move_obstacles(move, loader, keys)),
    )
    if plan.blockers:
        return plan
    alias = database or move.source_domain.database
    with translate_database_errors(alias):
        live = read_live_objects(connections[alias], move, awaited_tables(loader))
    illegal = () if convert else tuple(map(_offered, keys))
    blockers = (*blocked_relations(move), *illegal, *map(_live, live.blocking))
    plan = replace(plan, live=live, offers=tuple(legal_keys(move)), blockers=blockers)
    if illegal:
        return plan
    plan = _with_edits(plan)
    if plan.blockers:
        return plan
    return _with_migrations(plan, loader)


def write_transfer(plan: TransferPlan) -> TransferPlan:
    """Write the changes, all or nothing.

    Raises:
        InvalidConfiguration: something blocks the plan, or a file cannot be written.
    """
    for blocker in plan.blockers:
        raise InvalidConfiguration(blocker.message, hint=blocker.hint)
    apply_changes(plan.changes)
    return replace(plan, is_written=True)


def _offered(key: KeyConversion) -> Blocker:
    """Return what says that a foreign key has to become a reference."""
    return Blocker(
        f"{key} is a foreign key that would cross a boundary.",
        f"With --convert, {type(key.operation()).__name__}({key.model.__name__!r}, {key.field!r})"
        f" is written in a migration of {key.app_label} before, and the field becomes"
        f' {key.new_name} = DomainReference("{key.to}").',
    )


def _live(found: LiveObject) -> Blocker:
    parts = (("before", found.before), ("after", found.after))
    return Blocker(
        found.message,
        "\n".join(
            f"In a migration {when} the pair: {statement}"
            for when, statements in parts
            for statement in statements
        ),
    )


def _with_edits(plan: TransferPlan) -> TransferPlan:
    from .code_move import edit_code  # Imports libcst, which may not be installed.

    code = edit_code(plan.move, plan.conversions)
    editor = SourceEditor(code.changes)
    seeds = SeedMove(plan.move, editor)
    seeds.plan()
    by_hand = [line for line in code.by_hand if line.path not in seeds.data]
    planned = {change.path: change.after for change in editor.changes}
    by_hand += seeded_keys(plan.conversions, planned)
    return replace(
        plan,
        changes=tuple(editor.changes),
        by_hand=tuple(sorted({*by_hand, *seeds.by_hand})),
        blockers=(*plan.blockers, *code.blockers, *editor.blockers),
    )


def _with_migrations(plan: TransferPlan, loader: MigrationLoader) -> TransferPlan:
    found = plan_migrations(
        plan.move, plan.changes, plan.conversions, loader, plan.compat_view_until
    )
    return replace(
        plan,
        changes=(*plan.changes, *found.changes),
        migrations=found.keys,
        unfinished=found.unfinished,
        blockers=(*plan.blockers, *found.blockers),
    )
