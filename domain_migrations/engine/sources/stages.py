"""Before or after: whether a migration is safe while the code that it replaces still runs.

``stage = "before"`` (also where nothing is said) adds: it is applied while the old code runs.
``stage = "after"`` takes away: it waits until only the new code runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from ...domains import Domain
from ...exceptions import InvalidConfiguration
from .files import MigrationKey, migration_file, migration_files
from .parsing import NOT_LITERAL, read_header

if TYPE_CHECKING:
    # What only looks at files should not pay for Django's migrations.
    from django.db.migrations.migration import Migration

Stage = Literal["before", "after"]
STAGES: tuple[Stage, ...] = get_args(Stage)
HINT = 'Write stage = "before" or stage = "after" in its class Migration, as it stands here.'


class InvalidStage(NamedTuple):
    """A stage that a run refuses to work with."""

    key: MigrationKey
    message: str
    hint: str = HINT


def declared_stage(path: Path | None) -> Stage:
    """Return the stage that the file declares; before unless it says clearly that it is after."""
    return "after" if read_header(path).stage == "after" else "before"


def stage_suffix(key: MigrationKey) -> str:
    """Return what to print behind the name of a pending migration that waits for new code."""
    return " (after)" if declared_stage(migration_file(key)) == "after" else ""


def get_stage(migration: Migration) -> Stage:
    """Return the stage of a migration that was loaded.

    Raises:
        InvalidConfiguration: it has a stage that there is not, or one that its file does not
            show to those who only look at the file.
    """
    key = MigrationKey.of(migration)
    stage = getattr(migration, "stage", "before")
    if stage not in STAGES:
        wrong = _invalid(key, stage)
        raise InvalidConfiguration(wrong.message, hint=wrong.hint)
    path = migration_file(key)
    if path is not None and declared_stage(path) != stage:
        raise InvalidConfiguration(
            f'The stage of {key} is "{stage}", but {path.name} alone does not say so.', hint=HINT
        )
    found: Stage = stage
    return found


def invalid_stages(domain: Domain) -> Iterator[InvalidStage]:
    """Yield what is wrong with the stages that the domain's migrations declare."""
    for label in domain.app_labels:
        for path in migration_files(label):
            stage = read_header(path).stage
            if stage is not None and stage not in STAGES:
                yield _invalid(MigrationKey(label, path.stem), stage)


def _invalid(key: MigrationKey, stage: Any) -> InvalidStage:
    what = stage if stage is NOT_LITERAL else repr(stage)
    return InvalidStage(key, f"The stage of {key} is {what}, which is neither before nor after.")
