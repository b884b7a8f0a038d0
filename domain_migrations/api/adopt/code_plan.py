"""The plan of an adoption's edits in the code: the files, the diff, and what blocks them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.apps import apps
from django.apps.config import AppConfig

from ...domains import DomainConfig, QualifiedName
from ...engine.sources.adoptions import Adoption
from ...engine.sources.files import ADOPTION_FILE, migrations_folders
from ...exceptions import InvalidConfiguration
from ..source_code import overlay
from ..source_code.blocker import Blocker
from ..source_code.file_changes import FileChange, apply_changes, diff_of, relative_path
from ..source_code.mentions import Mention, find_mentions
from ..source_code.project_apps import OURS, is_package, project_root
from ..source_code.project_checks import new_errors
from . import code_check, code_undo
from .app_edits import IN_PACKAGE, AppEditor
from .code_tables import TableNames, automatic_tables, model_edits

CROSSINGS = ("E001", "E002", "E003", "E004", "E005", "E006")
"""Checks of models that refer to another domain's."""


@dataclass(frozen=True, kw_only=True)
class CodePlan:
    """The edits that make apps a domain; nothing is written yet.

    Attributes:
        root: the folder that shown paths are relative to.
        tables: model, or ``app.Model.field`` → its bare name before, and in the schema.
        mentions: places that name a table in SQL, which are not edited.
    """

    domain: str
    schema: str
    apps: tuple[str, ...]
    root: Path
    tables: Mapping[str, tuple[str, str]]
    changes: tuple[FileChange, ...] = ()
    mentions: tuple[Mention, ...] = ()
    blockers: tuple[Blocker, ...] = ()

    def diff(self) -> str:
        """Return the edits as a unified diff."""
        return "".join(diff_of(change, self.root) for change in self.changes)

    def shown_path(self, path: Path) -> str:
        """Return a path as the diff shows it."""
        return relative_path(path, self.root)

    def as_json(self) -> dict[str, Any]:
        return {
            "files": [self.shown_path(change.path) for change in self.changes],
            "diff": self.diff(),
            "mentions": [
                {**mention.as_json(), "path": self.shown_path(mention.path)}
                for mention in self.mentions
            ],
            "blockers": [blocker.as_json() for blocker in self.blockers],
        }


def plan_code(
    domain: str,
    app_labels: Sequence[str],
    *,
    schema: str | None = None,
    tables: Mapping[str, str] | None = None,
) -> CodePlan:
    """Return the edits that make apps a domain, checked in another process.

    Arguments:
        schema: the domain's schema; its name unless given.
        tables: bare name → name in the schema, for tables that get another one, and for those of
            models that Django does not manage and that move.

    Raises:
        InvalidConfiguration: an app is not installed or is a domain's already, or libcst is
            missing.
    """
    if importlib.util.find_spec("libcst") is None:
        raise InvalidConfiguration(
            "The code cannot be edited, because libcst is not installed.",
            hint='Run: pip install "libcst>=1.8"',
        )
    schema = schema or domain
    configs = [_config(label) for label in app_labels]
    renamed = dict(tables or {})
    names = TableNames(schema, renamed, frozenset(renamed))
    root = project_root(configs[0])
    found: dict[str, tuple[str, str]] = {}
    for config in configs:
        for model, table, _ in model_edits(config, names):
            found[model._meta.label] = table, renamed.get(table, table)
        for label, table in automatic_tables(config):
            found[label] = table, renamed.get(table, table)
    plan = CodePlan(domain=domain, schema=schema, apps=tuple(app_labels), root=root, tables=found)
    installed = [config.label for config in configs if is_package(config)]
    if installed:
        blockers = [
            Blocker(
                f'The app "{label}" is an installed package, which cannot be edited.', IN_PACKAGE
            )
            for label in installed
        ]
        return replace(plan, blockers=tuple(blockers))
    editor = AppEditor(domain, schema)
    for config in configs:
        editor.edit_app(config, names)
    plan = _with_edits(plan, editor)
    if not plan.blockers:
        answer = _checked(plan)
        links = {} if _crosses(answer) else answer.get("links", {})
        for label, others in sorted(links.items()):
            editor.declare_former(label, others)
        if links:
            plan = _with_edits(plan, editor)
            answer = _checked(plan)
        plan = replace(plan, blockers=(*plan.blockers, *_found_by_checks(plan, answer)))
    return replace(plan, mentions=tuple(_mentions(plan)))


def _with_edits(plan: CodePlan, editor: AppEditor) -> CodePlan:
    return replace(
        plan,
        changes=tuple(editor.changes),
        blockers=tuple(editor.blockers),
    )


def _mentions(plan: CodePlan) -> Iterator[Mention]:
    project = [Path(config.path) for config in apps.get_app_configs() if not is_package(config)]
    texts = {change.path: change.after or b"" for change in plan.changes}
    tables = [before for before, _ in plan.tables.values()]
    own = [folder for label in plan.apps for folder in migrations_folders(label)]
    return find_mentions(project, tables, texts, own)


def prove_code(plan: CodePlan, database: str | None = None) -> str:
    """Return why core and the planned domain cannot be applied to an empty database.

    Empty if they can. The database is a scratch one on the server of the alias, core's unless
    given.
    """
    answer = _ask(plan, code_check.apply.__name__, [plan.domain, database or ""])
    return str(answer.get("failed") or answer["problem"])


def write_code(plan: CodePlan, adoption: Adoption) -> None:
    """Write the edits, the declaration and the record of the edits; all or nothing.

    Raises:
        InvalidConfiguration: something blocks the plan, or a file cannot be written.
    """
    if plan.blockers:
        first = plan.blockers[0]
        raise InvalidConfiguration(first.message, hint=first.hint)
    folder = declaration_folder(adoption)
    record = folder / code_undo.FILE_NAME
    changes = [
        *plan.changes,
        _file(record, code_undo.record_text(plan.changes, folder)),
        _file(folder / ADOPTION_FILE, adoption.as_text().encode()),
    ]
    apply_changes(changes)


def plan_undo(adoption: Adoption) -> tuple[FileChange, ...]:
    """Return the changes that restore the code, and that declare the adoption undone.

    Raises:
        InvalidConfiguration: what the adoption wrote was changed, or the record is missing.
    """
    folder = declaration_folder(adoption)
    declared = replace(adoption, undo=True).as_text().encode()
    return (
        *code_undo.restoring_changes(folder / code_undo.FILE_NAME),
        _file(folder / ADOPTION_FILE, declared),
    )


def undo_code(adoption: Adoption) -> tuple[FileChange, ...]:
    """Restore the code, all or nothing, and return the changes.

    Raises:
        InvalidConfiguration: as ``plan_undo``, or a file cannot be written.
    """
    changes = plan_undo(adoption)
    apply_changes(changes)
    return changes


def declaration_folder(adoption: Adoption) -> Path:
    """Return the folder of an adoption's declaration: the first app's migrations.

    Raises:
        InvalidConfiguration: the app has no migrations.
    """
    if adoption.path is not None:
        return adoption.path.parent
    folders = migrations_folders(adoption.apps[0])
    if not folders:
        raise InvalidConfiguration(
            f'The app "{adoption.apps[0]}" has no migrations.',
            hint=f"Run: manage.py makemigrations {adoption.apps[0]}",
        )
    return folders[0]


def _checked(plan: CodePlan) -> dict[str, Any]:
    return _ask(plan, code_check.check_code.__name__, plan.apps)


def _crosses(answer: Mapping[str, Any]) -> bool:
    """Return whether a model still refers to one of another domain."""
    return any(
        error["id"].removeprefix(f"{OURS}.") in CROSSINGS for error in answer.get("errors", ())
    )


def _found_by_checks(plan: CodePlan, answer: Mapping[str, Any]) -> Iterator[Blocker]:
    if failed := answer.get("failed"):
        yield Blocker(
            f"With these edits the project does not start: {failed}",
            "Edit the code by hand; nothing was written.",
        )
        return
    for error in new_errors(answer["errors"]):
        yield Blocker(error["message"], error["hint"])
    for change in answer["changes"]:
        yield Blocker(
            f"The models have a change that is in no migration: {change}.",
            "Run makemigrations and migrate before the adoption.",
        )
    for label, (_, name) in plan.tables.items():
        written = answer["tables"].get(label)
        wanted = QualifiedName(plan.schema, name)
        if written is not None and QualifiedName.of(written) != wanted:
            yield Blocker(
                f"With these edits the table of {label} would be {QualifiedName.of(written)}"
                f" instead of {wanted}.",
                "Name it in the model's Meta by hand.",
            )


def _ask(plan: CodePlan, function: str, arguments: Sequence[str]) -> dict[str, Any]:
    return overlay.run_with(plan.changes, f"{code_check.__name__}:{function}", arguments)


def _config(label: str) -> AppConfig:
    try:
        config = apps.get_app_config(label)
    except LookupError as exc:
        raise InvalidConfiguration(
            str(exc), hint="Give the labels of installed apps: --apps lab,lab_reports"
        ) from exc
    if isinstance(config, DomainConfig):
        raise InvalidConfiguration(
            f'The app "{label}" is part of the domain "{config.domain}" already.',
            hint=f"Run: manage.py migrate_domain {config.domain}",
        )
    return config


def _file(path: Path, text: bytes) -> FileChange:
    return FileChange(path, path.read_bytes() if path.is_file() else None, text)
