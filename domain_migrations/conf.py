"""The engine's settings: the optional dictionary ``DOMAIN_MIGRATIONS`` of the project.

They are read on each access, so that ``override_settings`` works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from django.conf import settings as django_settings

from .exceptions import InvalidConfiguration

SETTING = "DOMAIN_MIGRATIONS"

SECONDS = ("lock_wait", "lock_timeout", "statement_timeout")
NUMBERS = (*SECONDS, "retries")
"""The settings that are numbers, 0 or more."""

UNDECLARED_REMOVALS = ("refuse", "after")

Stage = Literal["before", "after"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""The stages of a deployment; the module ``stages`` explains them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The current values.

    Attributes:
        databases: domain name → alias in ``DATABASES``, for domains that moved out.
        lock_wait: seconds to wait for another run's advisory lock.
        lock_timeout: seconds that a statement may wait for a table lock.
        statement_timeout: seconds that a statement may run, 0 for no limit.
        retries: number of retries of a migration after a lock timeout.
        core_readable_tables: tables of core that a domain's role may read; None for all, except
            passwords and sessions.
        stages_required_after: app label → the last migration that predates stages; migrations
            up to it are not checked.
        undeclared_removals: what a run with ``--stage`` does with a migration that removes
            something and has no stage: ``refuse`` it, or apply it in the stage ``after``.
        readiness_domains: domains that the readiness view checks; None for all.
        readiness_token: bearer token that reveals migration names in the readiness view;
            disabled when empty.
        hooks: domain name, or ``*`` for all domains → event → hooks to call.
        hook_timeout: seconds that a hook may run, 0 for no limit.
        project_version: the version that the journal records; the Git commit by default.
        seed_tags: the active tags, which select the seeds that run: demo, test, production.
        snapshots: whether an empty schema is created from a snapshot instead of a replay.
        verify_baseline: path of the file of accepted findings, relative to ``BASE_DIR``; none
            are accepted without one.
        test_database_template: whether test databases are copies of a template that stays on
            the server; change the string to force a rebuild.
    """

    databases: Mapping[str, str] = field(default_factory=dict)
    lock_wait: float = 60.0
    lock_timeout: float = 3.0
    statement_timeout: float = 0.0
    retries: int = 5
    core_readable_tables: Sequence[str] | None = None
    stages_required_after: Mapping[str, str] = field(default_factory=dict)
    undeclared_removals: str = "refuse"
    readiness_domains: Sequence[str] | None = None
    readiness_token: str = ""
    hooks: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    hook_timeout: float = 300.0
    project_version: str = ""
    seed_tags: Sequence[str] = ()
    snapshots: bool = True
    verify_baseline: str = ""
    test_database_template: bool | str = False


def get_settings() -> Settings:
    """Return the settings in force.

    Raises:
        InvalidConfiguration: ``DOMAIN_MIGRATIONS`` contains an unknown name or a value that is
            not a number as required.
    """
    given: dict[str, Any] = getattr(django_settings, SETTING, {})
    known = tuple(each.name for each in fields(Settings))
    unknown = sorted(name for name in given if name.lower() not in known)
    if unknown:
        raise InvalidConfiguration(
            f"{SETTING} has no setting {', '.join(unknown)}.",
            hint=f"The settings are {', '.join(known).upper()}.",
        )
    chosen = Settings(**{name.lower(): value for name, value in given.items()})
    for name in NUMBERS:
        if not is_number(getattr(chosen, name), whole=name not in SECONDS):
            unit = "seconds" if name in SECONDS else "a whole number"
            raise InvalidConfiguration(
                f'{SETTING}["{name.upper()}"] takes {unit}, 0 or more.',
                hint=f'"{name.upper()}": {getattr(Settings, name)}',
            )
    if chosen.undeclared_removals not in UNDECLARED_REMOVALS:
        raise InvalidConfiguration(
            f'{SETTING}["UNDECLARED_REMOVALS"] takes {" or ".join(UNDECLARED_REMOVALS)}.',
            hint=f'"UNDECLARED_REMOVALS": "{Settings.undeclared_removals}"',
        )
    return chosen


def is_number(value: Any, *, whole: bool = False) -> bool:
    """Return whether a setting is a finite number, 0 or more; an integer if it has to be whole."""
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    return 0 <= value < float("inf")
