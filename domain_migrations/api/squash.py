"""The check of ``squashmigrations``: a migration that exchanges a table cannot be squashed."""

from __future__ import annotations

from django.db.migrations.exceptions import AmbiguityError

from ..engine.runner.loader import WholeProjectLoader
from ..engine.sources.files import MigrationKey
from ..engine.sources.transfer_halves import halves_in
from ..exceptions import InvalidConfiguration


def check_squash(app_label: str, end: str, *, start: str | None = None) -> None:
    """Refuse to squash a half of a transfer; what Django refuses is left to Django.

    Arguments:
        start, end: the first and the last migration to squash, or the beginnings of their names.

    Raises:
        InvalidConfiguration: with the half, and what can be squashed.
    """
    halves = {half.key: half for half in halves_in(app_label)}
    if not halves:
        return
    loader = WholeProjectLoader(None)
    try:
        last = loader.get_migration_by_prefix(app_label, end)
        first = loader.get_migration_by_prefix(app_label, start) if start else None
        plan = loader.graph.forwards_plan((app_label, last.name))
    except (AmbiguityError, KeyError):
        return
    keys = [MigrationKey(*key) for key in plan if key[0] == app_label]
    if first is not None and MigrationKey.of(first) in keys:
        keys = keys[keys.index(MigrationKey.of(first)) :]
    for index, key in enumerate(keys):
        if key in halves:
            before = f" up to {keys[index - 1].name}," if index else ""
            after = f" from {keys[index + 1].name} on," if index + 1 < len(keys) else ""
            parts = " or".join(filter(None, (before, after))).rstrip(",")
            raise InvalidConfiguration(
                f"{key} cannot be squashed: it {halves[key].verb} the table of"
                f" {halves[key].model} together with {halves[key].partner}.",
                hint=f"Squash what comes before it or after it, here{parts}."
                if parts
                else "Leave it as it is.",
            )
