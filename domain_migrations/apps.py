from __future__ import annotations

from collections.abc import Callable

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate


class DomainMigrationsConfig(AppConfig):
    name = "domain_migrations"
    verbose_name = "Domain migrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
        from .backends.postgresql.creation import TemplateCreationMixin
        from .backends.postgresql.operations import flushed
        from .domains import swappable_names
        from .engine.history import recorder, seed_ledger
        from .engine.runner import executor_patch
        from .permissions import create_domain_permissions

        recorder.patch_django()
        executor_patch.patch_django()
        swappable_names.patch_django()
        TemplateCreationMixin.content_digest = staticmethod(  # type: ignore[method-assign]
            _content_digest
        )
        flushed.connect(recorder.on_flush, dispatch_uid="domain_migrations.histories")
        flushed.connect(seed_ledger.on_flush, dispatch_uid="domain_migrations.seeds")
        post_migrate.connect(
            create_domain_permissions, dispatch_uid="domain_migrations.permissions"
        )


def _content_digest(
    connection: BaseDatabaseWrapper,
) -> Callable[[BaseDatabaseWrapper], str] | None:
    """Return the digest function; imported here because only test databases need it."""
    from .engine.sources.content_digest import digest_function_for

    return digest_function_for(connection)
