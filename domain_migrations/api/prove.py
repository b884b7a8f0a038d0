"""The proof that a domain depends on core only, and that reverting it restores the catalog.

In a scratch database without any other domain, it is applied, reverted to zero and applied
again, and ``pg_catalog`` is compared each time. If the domain has a snapshot, restoring it must
give the same result. Rows are not compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ..domains import CORE, Domain, get_domain, get_domains
from ..engine.catalog.fingerprint import DatabaseFingerprint, fingerprint_differences, read_catalog
from ..engine.history.tables import ensure_schema
from ..engine.runner.options import MigrateOptions
from ..engine.runner.results import FORMAT, ErrorInfo, fields_as_json
from ..engine.sessions.scratch_databases import (
    scratch_connection,
)
from ..engine.snapshots.snapshot_file import snapshot_file
from ..exceptions import MigrationFailed
from .core_database import CoreDatabase, CoreDatabases
from .migrate import migrate_domains, raise_if_stopped


@dataclass(frozen=True, kw_only=True)
class ProofResult:
    """The result of one domain's proof.

    Attributes:
        problem: the step that failed, as the beginning of a sentence; empty if it is proven.
        differences: the differences in the catalog, a clause each.
        error: the error that ended a run.
        waits: what comes after the part that is proven, as a sentence; empty if that is all.
    """

    domain: str
    problem: str = ""
    differences: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    waits: str = ""
    seconds: float = 0.0

    @property
    def is_proven(self) -> bool:
        return not self.problem

    def as_json(self) -> dict[str, Any]:
        return {**fields_as_json(self), "proven": self.is_proven}

    @property
    def message(self) -> str:
        """The problem with its error, or with its first difference."""
        if self.error is not None:
            # A failed migration's hint is about continuing, which a scratch database cannot.
            hint = "" if self.error.code == MigrationFailed.code else self.error.hint
            return f"{self.problem}: {self.error.message} {hint}".rstrip()
        if not self.differences:
            return self.problem
        more = len(self.differences) - 1
        return f"{self.problem}: {self.differences[0]}" + (f" (and {more} more)" if more else "")


@dataclass(frozen=True)
class Proofs:
    """The results of several domains, as the command prints them."""

    domains: tuple[ProofResult, ...]

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **fields_as_json(self)}


CORE_ALONE = "core cannot be applied to an empty database"
UNDEFINED = ("42P01", "42703", "42704", "42883")
"""Of a relation, column, type and function; PostgreSQL manual, appendix A."""
OTHER_ORDER = (
    " Without the domain's apps, core's migrations may run in another order: add the migration that"
    " creates it to the dependencies of the one that failed. Where that is applied, accept the"
    " edit: manage.py repair_domain core --accept-checksum APP.NAME"
)


class ProofFailed(Exception):
    """A step of a proof failed.

    Arguments:
        values: of the result, besides ``problem``.
    """

    def __init__(self, problem: str, **values: Any) -> None:
        super().__init__(problem)
        self.values = {"problem": problem, **values}


def prove_domains(
    domains: Sequence[str] = (),
    *,
    database: str | None = None,
    report: Callable[[ProofResult], None] = lambda _: None,
) -> tuple[ProofResult, ...]:
    """Prove that domains depend on core only, and that reverting them restores the catalog.

    Configured databases are not changed: scratch databases are created on the server, and
    dropped. Core is applied once and copied for each domain.

    Arguments:
        domains: names; every domain, core first, unless given.
        database: the alias whose server is used; core's unless given.
        report: called with each result immediately.

    Raises:
        UnknownDomain: no domain has one of the names.
        InsufficientPrivilege: the role may not create databases.
    """
    chosen = [get_domain(name) for name in dict.fromkeys(domains)] or list(get_domains())
    alias = database or get_domain(CORE).database
    verdicts = []
    with ExitStack() as stack:
        databases = CoreDatabases(alias, stack, "prove_base")
        for domain in chosen:
            verdict = _proof_of(domain, alias, databases.for_domain(domain.name))
            verdicts.append(verdict)
            report(verdict)
    return tuple(verdicts)


def apply_to_empty(domain: str, database: str | None = None) -> str:
    """Return why core and a domain cannot be applied to an empty database; empty if they can.

    As ``prove_domains``, in a scratch database, but nothing is reverted.
    """
    alias = database or get_domain(CORE).database
    try:
        with scratch_connection(alias, f"adopt_{domain[:30]}"):
            _run(CORE, alias, CORE_ALONE)
            _run(domain, alias, f'the domain "{domain}" cannot be applied to an empty database')
    except ProofFailed as exc:
        result = ProofResult(domain=domain, **exc.values)
        lacks = result.error is not None and result.error.sqlstate in UNDEFINED
        is_core = result.problem == CORE_ALONE
        return result.message + (OTHER_ORDER if lacks and is_core else "")
    return ""


def _proof_of(domain: Domain, alias: str, base: CoreDatabase) -> ProofResult:
    started = time.monotonic()
    values: dict[str, Any] = {}
    try:
        values["waits"] = _prove(domain, alias, base)
    except ProofFailed as exc:
        values = exc.values
    return ProofResult(domain=domain.name, seconds=time.monotonic() - started, **values)


def _prove(domain: Domain, alias: str, base: CoreDatabase) -> str:
    """Prove a domain, as far as it comes without those with which it exchanges tables.

    Returns:
        What it waits for then; empty if nothing is left.
    """
    template = None
    if not domain.is_core:
        if base.error is not None:
            raise ProofFailed("core, which it needs, cannot be applied", error=base.error)
        template = base.name
    with scratch_connection(alias, f"prove_{domain.name[:30]}", template=template) as connection:
        ensure_schema(connection, domain.schema)  # Reverting keeps the schema.
        before = read_catalog(connection, include_names=True)
        alone = "applying it" if domain.is_core else "applying it alone with core"
        waits = _run(domain.name, alias, f"{alone} fails")
        applied = read_catalog(connection, include_names=True)
        _run(domain.name, alias, "reverting it fails", target="zero")
        _expect(
            before,
            read_catalog(connection, include_names=True),
            "reverting it does not restore the previous state",
        )
        _run(domain.name, alias, "applying it again fails")
        _expect(
            applied,
            read_catalog(connection, include_names=True),
            "applying it again has another result",
        )
    if snapshot_file(domain):
        _prove_snapshot(domain, alias, template, applied)
    return waits


def _prove_snapshot(
    domain: Domain, alias: str, template: str | None, applied: DatabaseFingerprint
) -> None:
    with scratch_connection(alias, f"prove_{domain.name[:30]}", template=template) as connection:
        _run(domain.name, alias, "its snapshot cannot be used", replay=False, strict=True)
        found = read_catalog(connection, include_names=True)
        _expect(applied, found, "its snapshot does not restore the result of a replay")


def _run(domain: str, alias: str, problem: str, *, replay: bool = True, **values: Any) -> str:
    """Migrate a domain, and return what it waits for; empty if nothing is left.

    Raises:
        ProofFailed: with the problem.
    """
    options = MigrateOptions(
        database=alias, interactive=False, verbosity=0, replay=replay, **values
    )
    (result,) = migrate_domains([domain], options).domains
    raise_if_stopped([result])
    if result.error is None:
        return ""
    if not result.error.waits:
        raise ProofFailed(problem, error=result.error)
    return result.error.message


def _expect(before: DatabaseFingerprint, after: DatabaseFingerprint, problem: str) -> None:
    found = fingerprint_differences(before, after)
    if found:
        raise ProofFailed(problem, differences=tuple(found))
