"""The declarations of domains: their names, schemas and databases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db.models import ForeignKey

from ...backends.postgresql.names import MAX_NAME_BYTES
from ...domains import CORE, CORE_SCHEMA, DomainConfig, get_domains
from ...domains import MAX_NAME_BYTES as MAX_DOMAIN_BYTES
from .rule import Problem, app_owners

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
"""Names that mean the same to PostgreSQL with and without quotes."""


def declaration_problems(apps: Apps = global_apps) -> Iterator[Problem]:
    """Yield what is wrong with the domains' names and schemas."""
    schemas: dict[str, tuple[str, str]] = {}
    owners: dict[str, str] = {}
    for config in apps.get_app_configs():
        if not isinstance(config, DomainConfig):
            continue
        domain, schema = config.domain, config.schema
        if domain == CORE:
            yield Problem(
                "E011",
                f'The app "{config.label}" declares the domain "{CORE}", which is reserved for'
                " the apps that declare none.",
                'Make its config an AppConfig, or give it a domain of another name: domain = "…".',
                config,
            )
            continue
        first_schema, first_label = schemas.setdefault(domain, (schema, config.label))
        if first_schema != schema:
            yield Problem(
                "E013",
                f'The apps "{first_label}" and "{config.label}" of the domain "{domain}" disagree'
                f' on its schema: "{first_schema}" and "{schema}".',
                f'Write schema = "{first_schema}" in the config of "{config.label}".',
                config,
            )
            continue
        if first_label != config.label:
            continue
        owner = owners.setdefault(schema, domain)
        if owner != domain:
            yield Problem(
                "E012",
                f'The domains "{owner}" and "{domain}" both use the schema "{schema}".',
                f'Give "{domain}" a schema of its own: schema = "{domain}".',
                config,
            )
        if wrong := schema_name_problem(schema):
            yield Problem(
                "E010",
                f'The schema "{schema}" of the domain "{domain}" {wrong}.',
                "Choose a name of lower-case letters, digits and underscores that does not begin"
                f" with a digit or pg_, of at most {MAX_NAME_BYTES} bytes.",
                config,
            )
        if wrong := domain_name_problem(domain):
            yield Problem(
                "E011",
                f'The name of the domain "{domain}" {wrong}.',
                "It is part of the names of the domain's history tables: choose lower-case letters,"
                f" digits and underscores, at most {MAX_DOMAIN_BYTES} bytes.",
                config,
            )


def schema_name_problem(schema: str) -> str:
    """Return what is wrong with a schema's name, as a verb and its object; "" for nothing."""
    if len(schema.encode()) > MAX_NAME_BYTES:
        return f"has a name of {len(schema.encode())} bytes"
    if schema.startswith("pg_"):
        return "has a name that PostgreSQL reserves"
    if schema == CORE_SCHEMA:
        return "is core's"
    if schema == "information_schema":
        return "is PostgreSQL's own"
    return "" if PLAIN.fullmatch(schema) else "has a name that would need escaping"


def domain_name_problem(domain: str) -> str:
    """Return what is wrong with a domain's name, as ``schema_name_problem`` does."""
    size = len(domain.encode())
    if size > MAX_DOMAIN_BYTES:
        return f"has {size} bytes"
    return "" if PLAIN.fullmatch(domain) else "would need escaping"


def cross_database_key_problems(apps: Apps = global_apps) -> Iterator[Problem]:
    """Yield foreign keys to core in domains that are on another database."""
    domains = get_domains(apps)
    core, owners = domains[0], app_owners(domains)
    for model in apps.get_models(include_auto_created=True):
        domain = owners[model._meta.app_label]
        if domain.database == core.database:
            continue
        for field in model._meta.local_fields:
            if not isinstance(field, ForeignKey) or not getattr(field, "db_constraint", True):
                continue
            target = field.remote_field.model
            if isinstance(target, type) and target._meta.app_label in core.app_labels:
                yield Problem(
                    "E019",
                    f"{model._meta.label}.{field.name} has a constraint to {target._meta.label},"
                    f' but the domain "{domain.name}" is on the database "{domain.database}".',
                    "A constraint cannot reach another database: add db_constraint=False.",
                    model,
                )
