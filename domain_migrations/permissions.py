"""Permissions to view the pages of domains.

``domain_migrations.view_domain`` allows all domains, ``domain_migrations.view_domain_hr`` only
hr. There are no other permissions, because the pages are read-only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, router

from .domains import Domain, get_domain_for, get_domains

logger = logging.getLogger(__name__)

APP = "domain_migrations"
MODEL = "domain"


def view_permission_codename(domain: str) -> str:
    """Return the codename of the permission to view one domain."""
    return f"view_domain_{domain}"


def visible_domains(user: Any, domains: Iterable[Domain] | None = None) -> tuple[Domain, ...]:
    """Return the domains that the user may view, among the given ones or all."""
    every = tuple(get_domains() if domains is None else domains)
    if user.has_perm(f"{APP}.view_{MODEL}"):
        return every
    return tuple(
        domain
        for domain in every
        if user.has_perm(f"{APP}.{view_permission_codename(domain.name)}")
    )


def create_domain_permissions(
    app_config: AppConfig,
    using: str = DEFAULT_DB_ALIAS,
    apps: Apps = global_apps,
    **_: Any,
) -> None:
    """Create the permission to view the app's domain; a receiver of ``post_migrate``.

    When core was migrated, the signal of the engine's own app creates the permissions of all
    domains. Permissions are always created in core's database. Like Django's
    ``create_permissions``, this uses the models at this point of the history, and does nothing if
    they do not exist.
    """
    domain = get_domain_for(app_config.label)
    if domain.is_core and app_config.label != APP:
        return
    try:
        permission_model = apps.get_model("auth", "Permission")
        type_model = apps.get_model("contenttypes", "ContentType")
    except LookupError:
        return
    if not router.allow_migrate_model(using, permission_model):
        # A domain in a database of its own: the permissions are in core's.
        core = get_domains()[0].database
        if domain.is_core or not _has_permissions(core, permission_model):
            return
        using = core
    wanted = get_domains() if domain.is_core else (domain,)
    known = set(
        permission_model._default_manager.using(using)
        .filter(content_type__app_label=APP, content_type__model=MODEL)
        .filter(codename__in=[view_permission_codename(domain.name) for domain in wanted])
        .values_list("codename", flat=True)
    )
    missing = [domain for domain in wanted if view_permission_codename(domain.name) not in known]
    if missing:
        _create(permission_model, type_model, using, missing)


def _has_permissions(using: str, permission_model: Any) -> bool:
    """Return whether the database has permissions; if not, core's next run creates them."""
    if not router.allow_migrate_model(using, permission_model):
        return False
    try:
        return permission_model._meta.db_table in connections[using].introspection.table_names()
    except OperationalError as exc:
        logger.warning(
            "The permissions to view domains will be created by core's next run: %s", exc
        )
        return False


def _create(permission_model: Any, type_model: Any, using: str, domains: Sequence[Domain]) -> None:
    content_type, _ = type_model._default_manager.using(using).get_or_create(
        app_label=APP, model=MODEL
    )
    permission_model._default_manager.using(using).bulk_create(
        [
            permission_model(
                content_type=content_type,
                codename=view_permission_codename(domain.name),
                name=f"Can view the migrations of {domain.name}",
            )
            for domain in domains
        ],
        # Other domains may be migrated in parallel.
        ignore_conflicts=True,
    )
