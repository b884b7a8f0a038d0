"""The plan of a run as it is made before the lock, to be shown or confirmed."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from ..boundary.planned_migrations import check_plan
from ..history.status import DomainStatus
from ..sources.files import MigrationKey
from .executor import DomainExecutor
from .interruptions import check_interrupted
from .loader import DomainLoader, Plan, reverted_keys
from .losses import confirm_reverts
from .options import MigrateOptions
from .planner import make_plan
from .project_state import in_run_order, project_state
from .results import Reporter
from .run_session import RunSession


def plan_before_lock(
    connection: BaseDatabaseWrapper,
    loader: DomainLoader,
    status: DomainStatus,
    options: MigrateOptions,
    reporter: Reporter,
) -> Plan:
    """Return the plan, and check that its migrations stay in their domain.

    Raises:
        DomainMigrationsError: a run could not begin.
    """
    session = RunSession(connection, loader.domain, options, reporter)
    plan = make_plan(DomainExecutor(session, loader), status)
    check_plan(in_run_order(loader, plan), project_state(loader), loader.domain)
    return plan


def confirm_before_lock(
    connection: BaseDatabaseWrapper,
    loader: DomainLoader,
    status: DomainStatus,
    options: MigrateOptions,
    reporter: Reporter,
) -> frozenset[MigrationKey]:
    """Ask for the reverts of the plan, and return what they revert.

    Raises:
        DomainMigrationsError: a run could not begin.
    """
    check_interrupted(connection, loader, resume=False)
    plan = plan_before_lock(connection, loader, status, options, reporter)
    confirm_reverts(reporter, connection, loader, plan)
    return frozenset(reverted_keys(plan))
