"""The rule and the names, seen from the models that are installed now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db.models import Field, ForeignKey, Model, OneToOneField
from django.db.models.fields.related import ManyToManyField

from ...backends.postgresql.names import MAX_NAME_BYTES, parse_table_name
from ...domains import CORE_SCHEMA, Domain, get_domains
from ...exceptions import BoundaryViolation, InvalidConfiguration
from .declarations import declaration_problems
from .problem import Problem
from .rule import CORE_DEPENDS, DOMAIN_DEPENDS, may_depend_on, violation_clause


def refuse_model_problems(domain: Domain) -> None:
    """Look at a domain's models and at how domains are declared, where checks are skipped too.

    Raises:
        InvalidConfiguration: a domain is declared wrongly.
        BoundaryViolation: a model breaks the rule or has its table outside the domain.
    """
    for problem in declaration_problems():
        raise InvalidConfiguration(problem.message, hint=problem.hint)
    if any(model_problems(only=domain)):
        # Told with every model there, a problem names what a reference leads to.
        global_apps.get_models()
    for problem in model_problems(only=domain):
        raise BoundaryViolation(problem.message, hint=problem.hint)


def model_problems(apps: Apps = global_apps, *, only: Domain | None = None) -> Iterator[Problem]:
    """Yield what is wrong with the models of every app, or of one domain's.

    Of one domain's asks no other app for its models: they need not be imported.
    """
    domains = get_domains(apps)
    owners = {label: domain for domain in domains for label in domain.app_labels}
    schemas = {domain.schema: domain for domain in domains}
    for model in apps.get_models() if only is None else _models_of(only, apps):
        domain = owners[model._meta.app_label]
        for problem, _used in _relations(model, domain, owners, domains[0]):
            yield problem
        if not model._meta.swapped and not model._meta.proxy:
            yield from _tables(model, domain, schemas)
            yield from _long_names(model)


def _models_of(domain: Domain, apps: Apps) -> Iterator[type[Model]]:
    for config in apps.get_app_configs():
        if config.label in domain.app_labels:
            yield from config.get_models()


def model_crossings(apps: Apps = global_apps) -> Iterator[tuple[Problem, Domain]]:
    """Yield each relation of a model that crosses a boundary, and the domain that it leads to."""
    domains = get_domains(apps)
    owners = {label: domain for domain in domains for label in domain.app_labels}
    for model in apps.get_models():
        yield from _relations(model, owners[model._meta.app_label], owners, domains[0])


def _relations(
    model: type[Model], domain: Domain, owners: dict[str, Domain], core: Domain
) -> Iterator[tuple[Problem, Domain]]:
    def across(target: Any) -> Domain | None:
        label = _app_label(target, model)
        other = owners.get(label, core) if label else domain
        return None if may_depend_on(domain, other) else other

    for base in model.__mro__[1:]:
        # Abstract ones too: their fields and methods are the other domain's code.
        other = across(base) if issubclass(base, Model) and hasattr(base, "_meta") else None
        if other and not any(
            issubclass(parent, base) and _app_label(parent, model) == _app_label(base, model)
            for parent in model.__mro__[1 : model.__mro__.index(base)]
        ):
            yield _cross_domain_problem(
                "E005", f"{model._meta.label} inherits from", base, domain, other, model
            )
    for field in _local_relations(model):
        remote: Any = field.remote_field
        name = f"{model._meta.label}.{field.name}"
        other = across(remote.model)
        if other:
            number, kind = _relation_kind(field)
            yield _cross_domain_problem(
                number, f"{name} is a {kind} to", remote.model, domain, other, model
            )
        through = getattr(remote, "through", None)
        if through is not None and not getattr(getattr(through, "_meta", None), "auto_created", 0):
            other = across(through)
            if other:
                yield _cross_domain_problem(
                    "E004", f"{name} is a many-to-many through", through, domain, other, model
                )


def _local_relations(model: type[Model]) -> Iterator[Any]:
    options: Any = model._meta
    for field in (*options.local_fields, *options.local_many_to_many, *options.private_fields):
        remote = getattr(field, "remote_field", None)
        # A parent link that Django made is told of as inheritance.
        if (
            remote
            and getattr(remote, "model", None)
            and not (getattr(remote, "parent_link", False) and field.auto_created)
        ):
            yield field


def _relation_kind(field: Any) -> tuple[str, str]:
    if field.one_to_many:  # Not by its class, whose module needs an installed app.
        return "E006", "generic relation"
    if isinstance(field, ManyToManyField):
        return "E003", "many-to-many"
    if isinstance(field, OneToOneField):
        return "E002", "one-to-one"
    return "E001", "foreign key" if isinstance(field, ForeignKey) else type(field).__name__


def _app_label(target: Any, model: type[Model]) -> str | None:
    """Return the app label of a model, or of a reference that has not been resolved."""
    if isinstance(target, str):
        return target.split(".")[0] if "." in target else model._meta.app_label
    label: str | None = getattr(getattr(target, "_meta", None), "app_label", None)
    return label


def _cross_domain_problem(
    number: str, what: str, target: Any, domain: Domain, other: Domain, model: type[Model]
) -> tuple[Problem, Domain]:
    label = target if isinstance(target, str) else target._meta.label
    problem = Problem(
        number,
        f"{what} {label}, but {violation_clause(domain, other)}.",
        CORE_DEPENDS if domain.is_core else DOMAIN_DEPENDS,
        model,
    )
    return problem, other


def _tables(model: type[Model], domain: Domain, schemas: dict[str, Domain]) -> Iterator[Problem]:
    options = model._meta
    yield from _table(
        model, options.label, options.db_table, domain, schemas, managed=options.managed
    )
    for field in options.local_many_to_many:
        through: Any = field.remote_field.through
        if not isinstance(through, str) and through._meta.auto_created:
            label = f"{options.label}.{field.name}"
            yield from _table(
                model, label, through._meta.db_table, domain, schemas, managed=options.managed
            )


def _table(
    model: type[Model],
    label: str,
    db_table: str,
    domain: Domain,
    schemas: dict[str, Domain],
    *,
    managed: bool,
) -> Iterator[Problem]:
    try:
        schema, name = parse_table_name(db_table)
    except ValueError:
        yield Problem(
            "E008",
            f"The table of {label} has a malformed name: db_table = {db_table!r}.",
            _db_table_hint(domain, label.partition(".")[2].replace(".", "_").lower()),
            model,
        )
        return
    owner = schemas.get(schema or CORE_SCHEMA)
    if domain.is_core:
        wrong = owner is not None and not owner.is_core
    else:
        # A model that Django does not manage may show a table of core.
        wrong = owner != domain and (managed or owner is None or not owner.is_core)
    if wrong:
        plain = f"{model._meta.app_label}_"
        default = db_table == f"{plain}{model._meta.model_name}"
        yield Problem(
            "E007",
            f'The table of {label} is "{name}" in the schema "{schema or CORE_SCHEMA}", outside'
            f' the schema "{domain.schema}" of {_domain_phrase(domain)}.',
            _db_table_hint(domain, name.removeprefix(plain) if default else name),
            model,
        )


def _domain_phrase(domain: Domain) -> str:
    return "core" if domain.is_core else f'the domain "{domain.name}"'


def _db_table_hint(domain: Domain, name: str) -> str:
    """Return the line to paste."""
    quoted = name.replace('"', '""')
    return f"db_table = {quoted if domain.is_core else _qualified(domain, quoted)!r}"


def _qualified(domain: Domain, quoted: str) -> str:
    return f'"{domain.schema}"."{quoted}"'


def _long_names(model: type[Model]) -> Iterator[Problem]:
    for kind, label, name in _names(model):
        size = len(name.encode())
        if size > MAX_NAME_BYTES:
            yield Problem(
                "E009",
                f'The {kind} of {label} has a name of {size} bytes: "{name}".',
                f"PostgreSQL cuts names at {MAX_NAME_BYTES} bytes; give it a shorter one.",
                model,
            )


def _names(model: type[Model]) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, whose, name) of everything that a model names."""
    options: Any = model._meta
    yield from _table_and_columns(model, options.label)
    for kind in ("index", "constraint"):
        for item in options.indexes if kind == "index" else options.constraints:
            yield kind, options.label, item.name
    for field in options.local_many_to_many:
        through = field.remote_field.through
        if not isinstance(through, str) and through._meta.auto_created:
            yield from _table_and_columns(through, f"{options.label}.{field.name}")


def _table_and_columns(model: type[Model], label: str) -> Iterator[tuple[str, str, str]]:
    try:
        yield "table", label, parse_table_name(model._meta.db_table).name
    except ValueError:
        return  # E008 tells.
    field: Field[Any, Any]
    for field in model._meta.local_concrete_fields:
        if field.column:
            yield "column", f"{label}.{field.name}", field.column
