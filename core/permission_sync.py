"""Synchronization of core's permissions with those that Django creates after migrating."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, router


def sync_permissions(
    app_config: AppConfig,
    using: str = DEFAULT_DB_ALIAS,
    apps: Apps = global_apps,
    **_: Any,
) -> None:
    """Make an app's Django permissions available to roles; a receiver of ``post_migrate``.

    Codes that Django no longer has are kept: a rollback must not take them from the roles that
    have them. Like Django's ``create_permissions``, it uses the models as they are at this point
    of the history, and does nothing where they do not exist yet.
    """
    try:
        permission_model = apps.get_model("core", "Permission")
        declared_model = apps.get_model("auth", "Permission")
    except LookupError:
        return
    if not router.allow_migrate_model(using, permission_model):
        return
    declared = {
        f"{app_config.label}.{codename}": name
        for codename, name in declared_model.objects.using(using)
        .filter(content_type__app_label=app_config.label)
        .values_list("codename", "name")
    }
    known = {
        permission.code: permission
        for permission in permission_model.objects.using(using).filter(code__in=declared)
    }
    renamed = [p for code, p in known.items() if p.name != declared[code]]
    for permission in renamed:
        permission.name = declared[permission.code]
    permission_model.objects.using(using).bulk_update(renamed, ["name"])
    permission_model.objects.using(using).bulk_create(
        [
            permission_model(code=code, name=name)
            for code, name in declared.items()
            if code not in known
        ],
        # Domains are migrated in parallel.
        ignore_conflicts=True,
    )
