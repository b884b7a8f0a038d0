"""Which of a transaction's traces break the rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .core_tables import on_core_tables
from .crossings import read_crossings, read_own_functions
from .domain_tables import on_domain_tables
from .evidence import Evidence
from .held import CATALOG_CHANGES, Lock
from .mark import PG_CONSTRAINT, PG_NAMESPACE
from .refusals import (
    CORE_USES,
    CROSSING,
    MOVED,
    NEW_IN_PUBLIC,
    NOT_IN_PUBLIC,
    OBJECT_LOCK,
    USES,
    Refusal,
    hint_for,
    whose,
)
from .rows import on_rows
from .written import identify


def refusals(evidence: Evidence) -> Iterator[Refusal]:
    """Yield what breaks the rule; only what the operations can have done is looked for."""
    if not evidence.plain:
        evidence.look_back()
    yield from _locked_relations(evidence)
    yield from _locked_objects(evidence)
    if not evidence.plain:
        yield from _crossings(evidence)
    if evidence.opaque:
        yield from on_rows(evidence, _changed(evidence))


def _changed(evidence: Evidence) -> list[int]:
    own = evidence.territory.quiet
    strong = [lock for lock in evidence.locks if lock.mode in CATALOG_CHANGES]
    return sorted({lock.oid for lock in strong if lock.schema in own})


def _locked_relations(evidence: Evidence) -> Iterator[Refusal]:
    tables: dict[int, list[Lock]] = defaultdict(list)
    territory, domain = evidence.territory, evidence.domain
    for lock in evidence.locks:
        schema = evidence.schema(lock)
        if not lock.is_relation or schema is None:
            continue
        if territory.is_own(schema):
            yield from _moved(evidence, lock)
            continue
        owner = territory.owner(schema)
        shape = lock.mode in CATALOG_CHANGES
        if owner is None and not shape:
            continue  # What belongs to nobody may be used, as extensions' schemas are.
        if owner is not None and owner.is_core and lock.table is None and evidence.is_new(lock.oid):
            did = f"made {evidence.name(lock)}, {whose(owner)}"
            hint = NOT_IN_PUBLIC.format(schema=domain.schema)
            yield Refusal(NEW_IN_PUBLIC, did, hint, lock.key)
        elif owner is not None and (owner.is_core or domain.is_core):
            tables[lock.table or lock.oid].append(lock)
        elif not evidence.is_engine_read(lock):
            yield evidence.locked(lock, hint_for(domain, owner, shape=shape))
    if tables:
        judge = on_domain_tables if domain.is_core else on_core_tables
        yield from judge(evidence, tables)


def _moved(evidence: Evidence, lock: Lock) -> Iterator[Refusal]:
    """Judge where a relation of the domain's own is now."""
    if lock.schema is not None and not evidence.territory.is_own(lock.schema):
        owner = evidence.territory.owner(lock.schema)
        schema = evidence.territory.names[lock.schema]
        yield Refusal(
            MOVED,
            f"moved {evidence.name(lock)} to the schema {schema}, {whose(owner)}",
            hint_for(evidence.domain, owner, shape=True),
            lock.key,
        )


def _locked_objects(evidence: Evidence) -> Iterator[Refusal]:
    territory, domain = evidence.territory, evidence.domain
    for lock in evidence.locks:
        if lock.is_relation or lock.mode not in CATALOG_CHANGES:
            continue
        if lock.catalog == PG_NAMESPACE:
            schema = lock.oid if lock.oid in territory.there else None
            name = f"schema {territory.names.get(lock.oid, '')}"
        elif domain.is_core and lock.catalog == PG_CONSTRAINT:
            continue  # Judged with its table.
        else:
            was = evidence.past.get(lock.catalog, lock.oid)
            schema = was.schema if was else None
            name = f"{was.name} in {territory.names.get(was.schema)}" if was else ""
        if schema is not None and not territory.is_own(schema):
            owner = territory.owner(schema)
            yield Refusal(
                OBJECT_LOCK,
                f"took {lock.mode} on {name}, {whose(owner)}",
                hint_for(domain, owner, shape=True),
                lock.key,
            )


def _crossings(evidence: Evidence) -> Iterator[Refusal]:
    territory, connection = evidence.territory, evidence.connection
    others = [oid for oid in territory.foreign if oid != territory.core]
    if not others:
        return
    own = [oid for oid in territory.quiet if not territory.is_system(oid)]
    functions = []
    changed = evidence.now.inserted(evidence.before, ["pg_proc"]) or evidence.now.updated(
        evidence.before, ["pg_proc"]
    )
    if evidence.opaque and changed:
        functions = read_own_functions(connection, evidence.now, evidence.before, own)
    crossings = read_crossings(
        connection,
        evidence.now,
        evidence.before,
        relations=sorted({x.oid for x in evidence.locks if x.mode in CATALOG_CHANGES}),
        functions=functions,
        others=others,
    )
    for crossing in crossings:
        if evidence.domain.is_core and crossing.catalog == PG_CONSTRAINT and not crossing.is_own:
            continue  # Judged with its table.
        owner = territory.owner(crossing.schema)
        user = identify(connection, crossing.catalog, crossing.oid, crossing.column)
        used = identify(connection, crossing.used_catalog, crossing.used_oid, crossing.used_column)
        yield Refusal(
            CROSSING,
            f"made {user} use {used}, {whose(owner)}",
            CORE_USES if evidence.domain.is_core else USES,
        )
