"""Domains, and the domain of an app or a model.

A domain is declared in the config of an app::

    class InventoryConfig(DomainConfig):
        name = "inventory"
        schema = "inventory"

An app without a domain belongs to ``core``, in the schema ``public``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from ..backends.postgresql.names import parse_table_name
from ..conf import get_settings
from ..exceptions import InvalidConfiguration, UnknownDomain
from .lazy_models import LazyModelsConfig

CORE = "core"
CORE_SCHEMA = "public"
MAX_NAME_BYTES = 37
"""The maximum length: PostgreSQL's 63 bytes less what the journal's name adds to it."""


class DomainConfig(LazyModelsConfig):
    """An app that belongs to a domain.

    Attributes:
        domain: the domain's name, by default the app's label. Apps with the same name share the
            domain.
        schema: the PostgreSQL schema that the domain owns, by default the domain's name.
        distributed: whether the schema is created as a distributed one where the database is a
            Citus cluster's; elsewhere this has no effect.
    """

    schema: str = ""
    distributed: bool = False

    # Django uses the only config in an app's module; this class must not count as one.
    default = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.default = cls.__dict__.get("default", True)

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        self.domain = self.domain or self.label
        self.schema = self.schema or self.domain


class QualifiedName(NamedTuple):
    """A relation and its schema, both unquoted as in PostgreSQL's catalogs."""

    schema: str
    name: str

    @classmethod
    def of(cls, db_table: str) -> QualifiedName:
        """Return the relation that a ``Meta.db_table`` names; an unqualified one is core's.

        Raises:
            ValueError: the text is not the name of a table.
        """
        schema, name = parse_table_name(db_table)
        return cls(schema or CORE_SCHEMA, name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def db_table(self) -> str:
        """The name in the form that ``Meta.db_table`` requires."""
        schema, name = (part.replace('"', '""') for part in self)
        return f'"{schema}"."{name}"'


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain, as declared in the app registry.

    Attributes:
        is_distributed: whether an app of it is declared so; the database may know better.
    """

    name: str
    schema: str
    app_labels: tuple[str, ...] = field(repr=False)
    database: str = DEFAULT_DB_ALIAS
    is_distributed: bool = field(default=False, repr=False)

    @property
    def is_core(self) -> bool:
        return self.name == CORE

    @property
    def history_table(self) -> QualifiedName:
        return QualifiedName(
            self.schema, "django_migrations" if self.is_core else f"django_migrations_{self.name}"
        )

    @property
    def journal_table(self) -> QualifiedName:
        return QualifiedName(self.schema, f"django_migrations_{self.name}_journal")

    @property
    def seed_table(self) -> QualifiedName:
        return QualifiedName(self.schema, f"django_seeds_{self.name}")

    @property
    def seed_rows_table(self) -> QualifiedName:
        return QualifiedName(self.schema, f"django_seeds_{self.name}_rows")

    @property
    def engine_tables(self) -> tuple[QualifiedName, ...]:
        """The tables that the engine keeps in the domain's schema."""
        return (self.history_table, self.journal_table, self.seed_table, self.seed_rows_table)


def get_domains(apps: Apps = global_apps) -> tuple[Domain, ...]:
    """Return all domains, core first, the others in the order of ``INSTALLED_APPS``.

    Raises:
        InvalidConfiguration: the apps of one domain disagree on its schema.
    """
    databases = get_settings().databases
    labels: dict[str, list[str]] = {CORE: []}
    schemas: dict[str, str] = {CORE: CORE_SCHEMA}
    distributed: set[str] = set()
    for config in apps.get_app_configs():
        name = CORE
        if isinstance(config, DomainConfig) and config.domain != CORE:
            name = config.domain
            if schemas.setdefault(name, config.schema) != config.schema:
                raise InvalidConfiguration(
                    f'The apps of the domain "{name}" disagree on its schema: '
                    f'"{schemas[name]}" and "{config.schema}" ({config.label}).',
                    hint="Give every app of the domain the same schema.",
                )
            if config.distributed:
                distributed.add(name)
        labels.setdefault(name, []).append(config.label)
    return tuple(
        Domain(
            name,
            schemas[name],
            tuple(members),
            databases.get(name, DEFAULT_DB_ALIAS),
            is_distributed=name in distributed,
        )
        for name, members in labels.items()
    )


def get_domain(name: str, apps: Apps = global_apps) -> Domain:
    """Return the domain of that name.

    Raises:
        UnknownDomain: there is no such domain; the message suggests the closest match.
    """
    domains = {domain.name: domain for domain in get_domains(apps)}
    try:
        return domains[name]
    except KeyError:
        owners = [domain.name for domain in domains.values() if name in domain.app_labels]
        raise unknown_domain_error(name, domains, owners) from None


def unknown_domain_error(
    name: str, known: Iterable[str], owners: Sequence[str] = ()
) -> UnknownDomain:
    """Return the error for a name that no domain has.

    Arguments:
        owners: the domain of the app that has the name.
    """
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1)
    guess = f' Did you mean "{nearest[0]}"?' if nearest else ""
    if owners:
        guess = f' The app of that name belongs to the domain "{owners[0]}".'
    app, _, migration = name.partition(".")
    if migration and app in names:
        guess = f' A target is an argument of its own: "{app} {name}" or "{app} {migration}".'
    return UnknownDomain(
        f'There is no domain "{name}".{guess}', hint=f"The domains are {', '.join(names)}."
    )


def get_domain_for(model_or_label: type[Model] | str, apps: Apps = global_apps) -> Domain:
    """Return the domain of a model or of an app label; core by default."""
    label = model_or_label if isinstance(model_or_label, str) else model_or_label._meta.app_label
    domains = get_domains(apps)
    return next((domain for domain in domains if label in domain.app_labels), domains[0])
