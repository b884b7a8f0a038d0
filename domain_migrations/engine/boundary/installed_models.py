"""The rule on the models of the installed apps, and on the names that they declare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db.models import Model

from ...backends.postgresql.names import MAX_NAME_BYTES, parse_table_name
from ...domains import Domain, get_domains
from ...exceptions import BoundaryViolation, InvalidConfiguration
from ..sources.files import is_installed
from .declarations import declaration_problems
from .rule import (
    CHECK_PREFIX,
    RELATION_PHRASES,
    AppOwners,
    Problem,
    Relation,
    app_owners,
    db_table_line,
    depends_hint,
    forbidden_owner,
    relation_kind,
    table_problem,
    violation_clause,
)

PACKAGE_HINT = (
    "The name is an installed package's, which the project cannot change. To silence the warning:"
    f' SILENCED_SYSTEM_CHECKS = ["{CHECK_PREFIX}.W003"]'
)


CUT_HINT = (
    f"PostgreSQL cuts names at {MAX_NAME_BYTES} bytes, everywhere in the same way; give it a"
    " shorter one, or silence the warning:"
    f' SILENCED_SYSTEM_CHECKS = ["{CHECK_PREFIX}.W003"]'
)


def refuse_model_problems(domain: Domain) -> None:
    """Check a domain's models and how domains are declared, also where checks are skipped.

    Raises:
        InvalidConfiguration: a domain is declared wrongly.
        BoundaryViolation: a model breaks the rule or has its table outside the domain.
    """
    for problem in declaration_problems():
        if problem.is_refused:
            raise InvalidConfiguration(problem.message, hint=problem.hint)
    if not any(problem.is_refused for problem in model_problems(only=domain)):
        return
    # Once all models are loaded, a problem names the model that a reference leads to.
    global_apps.get_models()
    for problem in model_problems(only=domain):
        if problem.is_refused:
            raise BoundaryViolation(problem.message, hint=problem.hint)


def model_problems(apps: Apps = global_apps, *, only: Domain | None = None) -> Iterator[Problem]:
    """Yield what is wrong with the models of every app, or of one domain's.

    With ``only``, the models of other apps are not read, so they need not be imported.
    """
    domains = get_domains(apps)
    owners = app_owners(domains)
    for model in apps.get_models() if only is None else _models_of(only, apps):
        for problem, _used in _crossing_relations(model, owners):
            yield problem
        if not model._meta.swapped and not model._meta.proxy:
            is_package = is_installed(Path(apps.get_app_config(model._meta.app_label).path))
            for problem in (
                *_misplaced_tables(model, owners[model._meta.app_label], domains),
                *_long_names(model, owners[model._meta.app_label]),
            ):
                if is_package and problem.id in ("E008", "E009", "W003"):
                    yield Problem("W003", problem.message, PACKAGE_HINT, model)
                else:
                    yield problem


def _models_of(domain: Domain, apps: Apps) -> Iterator[type[Model]]:
    for config in apps.get_app_configs():
        if config.label in domain.app_labels:
            yield from config.get_models()


def model_crossings(apps: Apps = global_apps) -> Iterator[tuple[Problem, Domain]]:
    """Yield each relation of a model that crosses a boundary, and the domain that it leads to."""
    owners = app_owners(get_domains(apps))
    for model in apps.get_models():
        yield from _crossing_relations(model, owners)


def _crossing_relations(model: type[Model], owners: AppOwners) -> Iterator[tuple[Problem, Domain]]:
    domain = owners[model._meta.app_label]
    for relation in relations_of(model):
        if other := forbidden_owner(relation, domain, owners):
            number, verb = RELATION_PHRASES.get(relation.kind, ("E001", f"is a {relation.kind} to"))
            message = f"{relation.source} {verb} {relation.target}"
            clause = violation_clause(domain, other)
            yield Problem(number, f"{message}, but {clause}.", depends_hint(domain), model), other


def relations_of(model: type[Model]) -> Iterator[Relation]:
    """Yield what a model inherits from, and what its fields refer to."""
    yield from _inheritance(model)
    yield from _field_relations(model)


def _inheritance(model: type[Model]) -> Iterator[Relation]:
    """Yield the models that a model inherits from, of each app the nearest.

    Abstract ones count: their fields and methods are the other domain's code.
    """
    nearer: list[type] = []
    for base in model.__mro__[1:]:
        if issubclass(base, Model) and hasattr(base, "_meta"):
            relation = _relation("inheritance", model._meta.label, base, model)
            if not any(
                issubclass(parent, base) and _app_label(parent, model) == relation.app_label
                for parent in nearer
            ):
                yield relation
        nearer.append(base)


def _field_relations(model: type[Model]) -> Iterator[Relation]:
    options: Any = model._meta
    for field in (*options.local_fields, *options.local_many_to_many, *options.private_fields):
        remote = getattr(field, "remote_field", None)
        if not remote or not getattr(remote, "model", None):
            continue
        if getattr(remote, "parent_link", False) and field.auto_created:
            continue  # A parent link that Django created is reported as inheritance.
        name = f"{options.label}.{field.name}"
        yield _relation(relation_kind(field), name, remote.model, model)
        through = getattr(remote, "through", None)
        if through is not None and not getattr(getattr(through, "_meta", None), "auto_created", 0):
            yield _relation("through", name, through, model)


def _relation(kind: str, source: str, target: Any, model: type[Model]) -> Relation:
    label = target if isinstance(target, str) else target._meta.label
    return Relation(kind, source, label, _app_label(target, model))


def _app_label(target: Any, model: type[Model]) -> str:
    """Return the app label of a model, or of a reference that has not been resolved."""
    if isinstance(target, str):
        return target.split(".")[0] if "." in target else model._meta.app_label
    return getattr(getattr(target, "_meta", None), "app_label", None) or ""


def _misplaced_tables(
    model: type[Model], domain: Domain, domains: Sequence[Domain]
) -> Iterator[Problem]:
    options = model._meta
    app_prefix = f"{options.app_label}_"
    for label, table_options in _tables(model):
        db_table = table_options.db_table
        wrong = table_problem(domain, db_table, domains, managed=options.managed)
        if wrong is None:
            continue
        if wrong.table is None:
            name = label.partition(".")[2].replace(".", "_").lower()
            yield Problem(
                "E008",
                f"The table of {label} has a malformed name: db_table = {db_table!r}.",
                db_table_line(domain, name),
                model,
            )
            continue
        schema, name = wrong.table
        owner = "core" if domain.is_core else f'the domain "{domain.name}"'
        is_default = db_table == f"{app_prefix}{options.model_name}"
        yield Problem(
            "E007",
            f'The table of {label} is "{name}" in the schema "{schema}", outside the schema'
            f' "{domain.schema}" of {owner}.',
            db_table_line(domain, name.removeprefix(app_prefix) if is_default else name),
            model,
        )


def _tables(model: type[Model]) -> Iterator[tuple[str, Any]]:
    """Yield (label, options) of a model and of its automatic many-to-many tables."""
    yield model._meta.label, model._meta
    for field in model._meta.local_many_to_many:
        through: Any = field.remote_field.through
        if not isinstance(through, str) and through._meta.auto_created:
            yield f"{model._meta.label}.{field.name}", through._meta


def _long_names(model: type[Model], domain: Domain) -> Iterator[Problem]:
    """Yield the names that PostgreSQL cuts; projects that exist have them in core, and work."""
    for kind, label, name in (part for table in _tables(model) for part in _names(*table)):
        size = len(name.encode())
        if size > MAX_NAME_BYTES:
            message = f'The {kind} of {label} has a name of {size} bytes: "{name}".'
            if domain.is_core and kind in ("index", "constraint"):
                yield Problem("W003", message, CUT_HINT, model)
            else:
                hint = f"PostgreSQL cuts names at {MAX_NAME_BYTES} bytes; give it a shorter one."
                yield Problem("E009", message, hint, model)


def _names(label: str, options: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, label, name) of everything that a model names."""
    with suppress(ValueError):  # E008 reports it.
        yield "table", label, parse_table_name(options.db_table).name
        for field in options.local_concrete_fields:
            if field.column:
                yield "column", f"{label}.{field.name}", field.column
    yield from (("index", label, index.name) for index in options.indexes)
    yield from (("constraint", label, constraint.name) for constraint in options.constraints)
