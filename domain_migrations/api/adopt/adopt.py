"""The functions of ``adopt_domain``: plan, write and undo the adoption of apps."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from ...domains import DomainConfig, QualifiedName
from ...engine.history.run_context import RunContext
from ...engine.runner.adoption.adoption_run import AdoptionRun
from ...engine.runner.adoption.moves import Move
from ...engine.runner.adoption_results import AppliedMove
from ...engine.runner.options import MigrateOptions
from ...engine.runner.results import FORMAT, Reporter
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sources.adoptions import Adoption, read_adoptions
from ...exceptions import InvalidConfiguration
from ..source_code.file_changes import diff_of
from ..source_code.project_apps import project_root
from .code_plan import CodePlan, plan_code, plan_undo, prove_code
from .code_plan import undo_code as restore_code
from .code_plan import write_code as write_files
from .database_plan import DatabasePlan, Obstacle, plan_database


@dataclass(frozen=True, kw_only=True)
class AdoptionPlan:
    """What the adoption of apps, or its undoing, changes.

    Attributes:
        adoption: the declaration, which may not be written yet.
        backwards: whether it is to be undone.
        code: the edits; None where the code is as it should be.
        diff: the edits of an undoing.
        database: what happens in the database.
        proof: why core and the domain cannot be applied to an empty database; empty if they can.
        is_written: whether the edits are on disk.
        moved: what was done in the database.
    """

    adoption: Adoption
    database: DatabasePlan
    backwards: bool = False
    code: CodePlan | None = None
    diff: str = ""
    proof: str = ""
    is_written: bool = False
    moved: AppliedMove | None = None

    @property
    def blockers(self) -> tuple[Obstacle, ...]:
        found = self.code.blockers if self.code is not None else ()
        return (
            *(Obstacle(each.message, each.hint) for each in found),
            *self.database.blockers,
        )

    @property
    def needs_hand(self) -> bool:
        """Whether SQL in the apps' migrations has to be edited by hand."""
        return self.code is not None and any(each.in_migration for each in self.code.mentions)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "domain": self.adoption.domain,
            "schema": self.adoption.schema,
            "apps": list(self.adoption.apps),
            "direction": "backwards" if self.backwards else "forwards",
            "code": self.code.as_json() if self.code is not None else None,
            "diff": self.code.diff() if self.code is not None else self.diff,
            "database": self.database.as_json(),
            "proof": self.proof,
            "blockers": [blocker.as_json() for blocker in self.blockers],
            "written": self.is_written,
            "moved": self.moved.as_json() if self.moved is not None else None,
        }


def declared_adoptions(domain: str | None = None) -> list[Adoption]:
    """Return the declarations of a domain, or all of them."""
    labels = [config.label for config in apps.get_app_configs()]
    return [
        adoption
        for adoption in read_adoptions(labels)
        if domain is None or adoption.domain == domain
    ]


def plan_adoption(
    domain: str,
    app_labels: Sequence[str] = (),
    *,
    schema: str | None = None,
    tables: Mapping[str, str] | None = None,
    compat_views_until: datetime.date | None = None,
    database: str = DEFAULT_DB_ALIAS,
    count: bool = False,
    prove: bool = True,
) -> AdoptionPlan:
    """Return what makes apps a domain, in the code and in a database; changes nothing.

    Where the code is a domain's already, the plan has what its declaration leaves to be done in
    the database.

    Arguments:
        app_labels: the apps; the one with the domain's name unless given.
        schema: the schema of the domain; its name unless given.
        tables: bare name → new name of tables that are renamed.
        compat_views_until: the last day of views under the old names; no views unless given.
        count: count the rows of each table instead of estimating them.
        prove: apply core and the planned domain to an empty database.

    Raises:
        InvalidConfiguration: an app is not installed, or is a domain's without a declaration.
        DomainMigrationsError: the database cannot be reached.
    """
    labels = tuple(app_labels) or (domain,)
    declared = [each for each in declared_adoptions(domain) if not each.undo]
    if declared and all(_is_domains(label) for label in declared[0].apps):
        with translate_database_errors(database):
            found = plan_database(connections[database], Move(declared[0]), count=count)
        return AdoptionPlan(adoption=declared[0], database=found)
    adoption = Adoption(
        domain=domain,
        schema=schema or domain,
        apps=labels,
        date=datetime.datetime.now(tz=datetime.UTC).date(),
        tables={},
        compat_views_until=compat_views_until,
    )
    code = plan_code(domain, labels, schema=schema, tables=tables)
    adoption = replace(adoption, tables=dict(code.tables.values()))
    with translate_database_errors(database):
        found = plan_database(connections[database], Move(adoption), count=count)
    if views := dict(_views_of_models(found, labels)):
        code = plan_code(domain, labels, schema=schema, tables={**(tables or {}), **views})
        adoption = replace(adoption, tables=dict(code.tables.values()))
    plan = AdoptionPlan(adoption=adoption, database=found, code=code)
    return replace(plan, proof=prove_code(code, database)) if prove and not plan.blockers else plan


def write_adoption(plan: AdoptionPlan) -> AdoptionPlan:
    """Write the edits and the declaration, all or nothing.

    Raises:
        InvalidConfiguration: something blocks the plan, or a file cannot be written.
    """
    if plan.code is None:
        return plan
    for blocker in plan.blockers:
        raise InvalidConfiguration(blocker.message, hint=blocker.hint)
    if plan.proof and not plan.needs_hand:
        raise InvalidConfiguration(
            f"With these edits an empty database could not be migrated: {plan.proof}",
            hint="Correct it, or write the edits without this proof: --skip-proof."
            " Nothing was written.",
        )
    write_files(plan.code, plan.adoption)
    return replace(plan, is_written=True)


def plan_undoing(adoption: Adoption, *, database: str = DEFAULT_DB_ALIAS) -> AdoptionPlan:
    """Return what puts the code and a database back; changes nothing.

    Raises:
        InvalidConfiguration: a file was changed after the adoption.
        DomainMigrationsError: the database cannot be reached.
    """
    move = Move(adoption, backwards=True)
    changes = () if adoption.undo else plan_undo(adoption)
    root = project_root(apps.get_app_config(adoption.apps[0]))
    with translate_database_errors(database):
        found = plan_database(connections[database], move)
    diff = "".join(diff_of(change, root) for change in changes)
    return AdoptionPlan(adoption=adoption, database=found, backwards=True, diff=diff)


def undo_adoption(
    plan: AdoptionPlan, options: MigrateOptions | None = None, reporter: Reporter | None = None
) -> AdoptionPlan:
    """Put the code back, and then the database; other databases follow with their next run.

    If the database fails, its next run completes what the code says.

    Raises:
        InvalidConfiguration: something blocks the plan, or a file cannot be written.
        DomainMigrationsError: the database could not be changed.
    """
    for blocker in plan.blockers:
        raise InvalidConfiguration(blocker.message, hint=blocker.hint)
    if not plan.adoption.undo:
        restore_code(plan.adoption)
    moved = None
    if plan.database.is_pending:
        options = replace(options or MigrateOptions(), database=plan.database.database)
        run = AdoptionRun(
            Move(plan.adoption, backwards=True), options, reporter or Reporter(), RunContext()
        )
        moved = run.run_locked()
    return replace(plan, is_written=True, moved=moved)


def _is_domains(label: str) -> bool:
    return isinstance(apps.get_app_config(label), DomainConfig)


def _views_of_models(plan: DatabasePlan, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the bare names of views that move and are the tables of models of the apps."""
    views = {old for kind, old, _ in plan.followers if kind.endswith("view")}
    for label in labels:
        for model in apps.get_app_config(label).get_models():
            table = QualifiedName.of(model._meta.db_table)
            if not model._meta.managed and str(table) in views:
                yield table.name, table.name
