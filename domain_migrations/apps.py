from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Tags
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate

CHECKS: dict[str, tuple[str, ...]] = {
    "check_domains": (Tags.models,),
    "check_settings": (),
    "check_dependencies": (),
    "check_stages": (),
    "check_whole_domains": (Tags.database,),
    "check_histories": (Tags.database,),
}
"""The functions of the module ``checks`` → their tags."""


class DomainMigrationsConfig(AppConfig):
    name = "domain_migrations"
    verbose_name = "Domain migrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .backends.postgresql.creation import TemplateCreationMixin
        from .backends.postgresql.operations import flushed
        from .domains import swappable_names
        from .engine.history import recorder
        from .engine.runner import executor_patch

        for name, tags in CHECKS.items():
            checks.register(_check(name), *tags)
        recorder.patch_django()
        executor_patch.patch_django()
        swappable_names.patch_django()
        TemplateCreationMixin.content_digest = staticmethod(  # type: ignore[method-assign]
            _content_digest
        )
        flushed.connect(_empty_histories, dispatch_uid="domain_migrations.histories")
        flushed.connect(_empty_ledgers, dispatch_uid="domain_migrations.seeds")
        post_migrate.connect(_create_permissions, dispatch_uid="domain_migrations.permissions")


# Every process has the following functions, and few call them: each imports what it calls.


def _check(name: str) -> Callable[..., list[CheckMessage]]:
    """Return a system check of the module ``checks``."""

    def check(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
        from . import checks

        found: list[CheckMessage] = getattr(checks, name)(app_configs, **kwargs)
        return found

    check.__name__ = check.__qualname__ = name
    return check


def _empty_histories(**kwargs: Any) -> None:
    from .engine.history.recorder import on_flush

    on_flush(**kwargs)


def _empty_ledgers(**kwargs: Any) -> None:
    from .engine.history.seed_ledger import on_flush

    on_flush(**kwargs)


def _create_permissions(app_config: AppConfig, **kwargs: Any) -> None:
    from .permissions import create_domain_permissions

    create_domain_permissions(app_config, **kwargs)


def _content_digest(
    connection: BaseDatabaseWrapper,
) -> Callable[[BaseDatabaseWrapper], str] | None:
    from .engine.sources.content_digest import digest_function_for

    return digest_function_for(connection)
