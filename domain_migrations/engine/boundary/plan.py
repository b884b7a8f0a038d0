"""What planned operations would do to the models' state, before anything runs.

Each operation is applied to a copy of the state and the models that it changed are looked at,
so operations inside others, and those that third parties made, are seen by what they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation

from ...backends.postgresql.names import parse_table_name
from ...domains import CORE_SCHEMA, Domain, get_domains
from ...exceptions import BoundaryViolation, InvalidConfiguration
from .rule import CORE_DEPENDS, DOMAIN_DEPENDS, may_depend_on, owner_clause

ModelKey = tuple[str, str]
TABLE_HINT = "Every table of the domain is in the schema \"{schema}\": db_table = '{table}'"


def check_plan(plan: Sequence[tuple[Migration, bool]], state: ProjectState, domain: Domain) -> None:
    """Look at a plan's operations and dependencies.

    Arguments:
        plan: migrations in order, and whether each is undone. What is undone was looked at
            when it was applied.
        state: the project's state before the plan; left as it is.

    Raises:
        BoundaryViolation: an operation relates a model to one of another domain, or names a
            table outside the domain, or a migration depends on another domain's.
        InvalidConfiguration: an operation is about a model or a field that is not there.
    """
    forwards = [migration for migration, backwards in plan if not backwards]
    if not forwards:
        return
    owners = {label: other for other in get_domains() for label in other.app_labels}
    state = state.clone()
    seen = {key: _replaceable_parts(model) for key, model in state.models.items()}
    for migration in forwards:
        _check_links(migration, domain, owners)
        for number, operation in enumerate(migration.operations, start=1):
            _apply(migration, number, operation, state)
            for key, model in state.models.items():
                parts = _replaceable_parts(model)
                if not _identical(seen.get(key), parts):
                    seen[key] = parts
                    for what, hint in _problems(model, domain, owners):
                        raise _violation(migration, number, operation, what, hint)


def _apply(migration: Migration, number: int, operation: Operation, state: ProjectState) -> None:
    try:
        operation.state_forwards(migration.app_label, state)
    except (KeyError, FieldDoesNotExist) as exc:
        (missing,) = exc.args
        if isinstance(exc, KeyError):
            missing = f"there is no {'.'.join(missing) if isinstance(missing, tuple) else missing}"
        raise InvalidConfiguration(
            f"Migration {migration.app_label}.{migration.name} cannot be planned: its operation"
            f" {number}, {type(operation).__name__} ({operation.describe()}), does not fit what"
            f" the migrations before it make: {missing}.",
            hint="Correct the operation, or the migration's dependencies.",
        ) from exc


def _check_links(migration: Migration, domain: Domain, owners: dict[str, Domain]) -> None:
    for word in ("dependencies", "run_before"):
        for label, name in getattr(migration, word):
            other = owners.get(label)
            if (
                other is not None
                and other != domain
                and (not may_depend_on(domain, other) or word == "run_before")
            ):
                raise BoundaryViolation(
                    f"Migration {migration.app_label}.{migration.name} is refused: its {word}"
                    f" {'name' if word == 'dependencies' else 'names'} {label}.{name},"
                    f" {owner_clause(other)}.",
                    hint=CORE_DEPENDS if domain.is_core or other.is_core else DOMAIN_DEPENDS,
                )


def _replaceable_parts(model: ModelState) -> list[Any]:
    """Return what an operation replaces when it changes the model.

    To be compared as objects: to Django, two fields are equal that only look alike.
    """
    return [model.bases, *model.fields, *model.fields.values(), *model.options.values()]


def _identical(before: list[Any] | None, after: list[Any]) -> bool:
    return before is not None and len(before) == len(after) and all(map(is_, before, after))


def _problems(
    model: ModelState, domain: Domain, owners: dict[str, Domain]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a model, as the rest of a sentence, and a hint."""
    owner = owners.get(model.app_label)
    label = f"{model.app_label}.{model.name}"
    if owner is not None and owner != domain:
        yield (
            f"changes the model {label}, {owner_clause(owner)}",
            CORE_DEPENDS if domain.is_core else DOMAIN_DEPENDS,
        )
        return
    for base in model.bases:
        key = _model_key(base, model)
        if key:
            yield from _related(f"makes {label} inherit from", key, domain, owners)
    for name, field in model.fields.items():
        remote = getattr(field, "remote_field", None)
        if not remote:
            continue
        for target in (remote.model, getattr(remote, "through", None)):
            key = _model_key(target, model)
            if key:
                yield from _related(f"relates {label}.{name} to", key, domain, owners)
        table = getattr(field, "db_table", None)  # of a many-to-many field only
        if table:
            yield from _table(f"{label}.{name}", table, domain, managed=True)
    if not model.options.get("proxy") and not model.options.get("swappable"):
        table = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
        managed = model.options.get("managed", True)
        yield from _table(label, table, domain, managed=managed)


def _model_key(target: Any, model: ModelState) -> ModelKey | None:
    """Return the (app label, name) of what a field or a base points at, if it is a model."""
    if isinstance(target, str):
        key: ModelKey = resolve_relation(target, model.app_label, model.name_lower)
        return key
    meta = getattr(target, "_meta", None)
    return (meta.app_label, meta.model_name) if meta is not None else None


def _related(
    what: str, key: ModelKey, domain: Domain, owners: dict[str, Domain]
) -> Iterator[tuple[str, str]]:
    other = owners.get(key[0])
    if other is not None and not may_depend_on(domain, other):
        yield (
            f"{what} {'.'.join(key)}, {owner_clause(other)}",
            CORE_DEPENDS if domain.is_core else DOMAIN_DEPENDS,
        )


def _table(
    label: str, db_table: str, domain: Domain, *, managed: bool
) -> Iterator[tuple[str, str]]:
    try:
        schema, name = parse_table_name(db_table)
    except ValueError as exc:
        yield (
            f"names the table {db_table} for {label}, which is malformed: {str(exc).rstrip('.')}",
            _paste(domain, label.rpartition(".")[2].lower()),
        )
        return
    schema = schema or CORE_SCHEMA
    if domain.is_core:
        wrong = schema in {other.schema for other in get_domains() if not other.is_core}
    else:
        # A model that Django does not manage may show a table of core.
        wrong = schema != domain.schema and (managed or schema != CORE_SCHEMA)
    if wrong:
        where = f"names the table {schema}.{name} for {label}"
        yield f'{where}, which is outside the schema "{domain.schema}"', _paste(domain, name)


def _paste(domain: Domain, name: str) -> str:
    quoted = name.replace('"', '""')
    table = quoted if domain.is_core else f'"{domain.schema}"."{quoted}"'
    return TABLE_HINT.format(schema=domain.schema, table=table)


def _violation(
    migration: Migration, number: int, operation: Operation, what: str, hint: str
) -> BoundaryViolation:
    return BoundaryViolation(
        f"Migration {migration.app_label}.{migration.name} is refused: its operation {number},"
        f" {type(operation).__name__}, {what}.",
        hint=hint,
    )
