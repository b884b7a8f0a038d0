"""Who may look at which domain's pages.

``domain_migrations.view_domain`` shows every domain, ``domain_migrations.view_domain_hr`` the
domain hr alone. There is no permission to change anything, because nothing can be changed.
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
    """Return the code name of the permission to look at one domain."""
    return f"view_domain_{domain}"


def visible_domains(user: Any, domains: Iterable[Domain] | None = None) -> tuple[Domain, ...]:
    """Return those of the domains, of all unless given, that the user may look at."""
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
    """Make the permission to look at the app's domain; a receiver of ``post_migrate``.

    Behind core's run, at the engine's own turn, the permissions of all domains are made; a
    domain in another database than core's has its own made in core's. As
    Django's ``create_permissions`` does, it works with the models as they are at this point of
    the history, and does nothing where they do not exist.
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
    """Return whether the database can be asked for permissions; a run of core makes up for it."""
    if not router.allow_migrate_model(using, permission_model):
        return False
    try:
        return permission_model._meta.db_table in connections[using].introspection.table_names()
    except OperationalError as exc:
        logger.warning("The permissions to view domains are left to core's next run: %s", exc)
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
        # Domains are migrated side by side.
        ignore_conflicts=True,
    )
