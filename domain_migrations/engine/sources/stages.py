"""Deployment stages: whether a migration is safe while the code that it replaces still runs.

``stage = "before"``, the default, adds something and is applied while the old code runs.
``stage = "after"`` removes something and is applied once only the new code runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...conf import STAGES, Stage, get_settings
from ...domains import Domain, get_domains
from ...exceptions import InvalidConfiguration
from .files import MigrationKey, is_installed, migration_file, migration_files
from .parsing import COMPUTED, NOT_LITERAL, OperationCall, read_header, read_replaces_and_stage

if TYPE_CHECKING:
    # Django's migrations are expensive to import, and readiness only reads files.
    from django.db.migrations.migration import Migration

HINT = 'Write stage = "before" or stage = "after" in its class Migration, as it stands here.'


class InvalidStage(NamedTuple):
    """A stage that makes a run refuse the migration."""

    key: MigrationKey
    message: str
    hint: str = HINT


def stage_of(key: MigrationKey) -> Stage:
    """Return the stage of a migration, from its file alone.

    It is ``before`` unless the file literally says ``after``, or unless it removes something, has
    no stage, and the setting ``UNDECLARED_REMOVALS`` is ``after``.
    """
    path = migration_file(key)
    stage = read_replaces_and_stage(path).stage
    if stage is None and path is not None and get_settings().undeclared_removals == "after":
        return "after" if unstaged_removal(key, path) else "before"
    return "after" if stage == "after" else "before"


def stage_suffix(key: MigrationKey) -> str:
    """Return the suffix for the name of a pending migration whose stage is ``after``."""
    return " (after)" if stage_of(key) == "after" else ""


def get_stage(migration: Migration) -> Stage:
    """Return the stage of a loaded migration.

    Raises:
        InvalidConfiguration: the stage is unknown, or its file alone does not show it.
    """
    key = MigrationKey.of(migration)
    stage: Any = getattr(migration, "stage", None)
    path = migration_file(key)
    if stage is not None and stage not in STAGES:
        if path is not None and is_installed(path):
            return "before"  # The package means something else by the name.
        wrong = _invalid(key, stage)
        raise InvalidConfiguration(wrong.message, hint=wrong.hint)
    if path is None:
        return "after" if stage == "after" else "before"
    found = stage_of(key)
    if stage is not None and found != stage:
        raise InvalidConfiguration(
            f'The stage of {key} is "{stage}", but {path.name} alone does not say so.', hint=HINT
        )
    return found


def check_removals_have_stages(migrations: Iterable[Migration], *, strict: bool) -> None:
    """Check that each migration that removes something has a stage.

    Arguments:
        migrations: of a run in stages.
        strict: check it also where the setting ``UNDECLARED_REMOVALS`` gives them one.

    Raises:
        InvalidConfiguration: naming the first that has none.
    """
    if get_settings().undeclared_removals == "after" and not strict:
        return
    for migration in migrations:
        key = MigrationKey.of(migration)
        path = migration_file(key)
        description = path and unstaged_removal(key, path)
        if description:
            raise InvalidConfiguration(
                f"{key} {description}, and has no stage: code that is still running may use what"
                " it removes.",
                hint='Write stage = "after" in its class Migration, or stage = "before" if no'
                " running code uses it. Nothing was changed.",
            )


def invalid_stages(domain: Domain) -> Iterator[InvalidStage]:
    """Yield the invalid stages that the domain's migrations declare, except those of packages."""
    for label in domain.app_labels:
        for path in migration_files(label):
            stage = read_replaces_and_stage(path).stage
            if stage is not None and stage not in STAGES and not is_installed(path):
                yield _invalid(MigrationKey(label, path.stem), stage)


def _invalid(key: MigrationKey, stage: Any) -> InvalidStage:
    what = stage if stage is NOT_LITERAL else repr(stage)
    return InvalidStage(key, f"The stage of {key} is {what}, which is neither before nor after.")


HINTS = (b"removefield", b"deletemodel", b"rename", b"altermodeltable", b"drop", b"schema",
         b"transfertable", b"receivetable", b"removecompatviews")  # fmt: skip
"""Every removal has one of these words; parsing takes a thousand times as long as finding them."""

REMOVAL_PHRASES = {
    "RemoveField": ("removes the field {}.{}", ("model_name", "name")),
    "RemoveFieldIfPresent": ("removes the field {}.{}", ("model_name", "name")),
    "DeleteModel": ("deletes the model {}", ("name",)),
    "RenameField": ("renames the field {}.{}", ("model_name", "old_name")),
    "RenameModel": ("renames the model {}", ("old_name",)),
    "AlterModelTable": ("renames the table of {}", ("name",)),
    "TransferTable": ("moves the table of {} to another domain", ("name",)),
    "ReceiveTable": ("moves the table of {} from another domain", ("name",)),
    "RemoveCompatViews": ("drops views under the old names of tables", ()),
}
"""Operation → its effect, and its arguments in order, the model first."""


VIEW_UNTIL = "compat_view_until"
"""The argument with which a transfer leaves a view under the old name, for older code."""


class Removal(NamedTuple):
    """A migration without a stage that removes what running code may still use.

    Attributes:
        description: what it does, as a predicate: ``removes the field drug.note``.
    """

    key: MigrationKey
    description: str


def unstaged_removals(
    domains: Sequence[Domain] | None = None, *, applied: Collection[MigrationKey] = ()
) -> Iterator[Removal]:
    """Yield the first removal of each migration that has one and declares no stage.

    Migrations of installed packages are left out, and so are squashed ones, which run on new
    databases only, and those up to the setting ``STAGES_REQUIRED_AFTER``.

    Arguments:
        applied: migrations to leave out; their files are not read.
    """
    for domain in get_domains() if domains is None else domains:
        for label in domain.app_labels:
            for path in migration_files(label):
                key = MigrationKey(label, path.stem)
                if key not in applied and (description := unstaged_removal(key, path)):
                    yield Removal(key, description)


def unstaged_removal(key: MigrationKey, path: Path) -> str | None:
    """Return what a migration removes, as a predicate, if it has no stage and needs one."""
    until = get_settings().stages_required_after.get(key.app, "")
    if until and (key.name <= until or key.name.startswith(until)):
        return None
    if is_installed(path):
        return None
    lower = path.read_bytes().lower()
    if not any(hint in lower for hint in HINTS):
        return None
    header = read_header(path)
    if header.stage is not None or header.replaces:
        return None
    created: set[str] = set()
    for operation in header.operations:
        if operation.name == "CreateModel":
            created.add(operation.argument(0, "name").lower())
            created.discard(COMPUTED)
        elif operation.name == "RunSQL":
            from ..sql.removals import removes

            if removes(operation.sql):
                return "drops or renames something by SQL"
        elif operation.name in REMOVAL_PHRASES:
            phrase, names = REMOVAL_PHRASES[operation.name]
            texts = [operation.argument(position, name) for position, name in enumerate(names)]
            if leaves_view(operation) or (texts and texts[0].lower() in created):
                continue
            return phrase.format(*texts)
    return None


def leaves_view(operation: OperationCall) -> bool:
    """Return whether older code finds the table of a transfer under its old name."""
    return operation.arguments.get(VIEW_UNTIL, str(None)) != str(None)
