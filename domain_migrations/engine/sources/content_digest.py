"""The digest of a test database's content, by which a template is found to be outdated."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import Any

import django
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.cache import caches
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from ... import __version__
from ...conf import SETTING, get_settings
from ...domains import get_domains
from .files import migrations_folders, migrations_module, migrations_on_disk

SETTINGS = (
    SETTING,
    "AUTH_USER_MODEL",
    "DATABASE_ROUTERS",
    "DEFAULT_AUTO_FIELD",
    "DEFAULT_INDEX_TABLESPACE",
    "DEFAULT_TABLESPACE",
    "INSTALLED_APPS",
    "LANGUAGE_CODE",
    "SITE_ID",
    "TIME_ZONE",
    "USE_I18N",
    "USE_TZ",
)
"""Settings that migrations and receivers of ``post_migrate``, Django's and ours, depend on."""

CONNECTION = ("ENGINE", "USER", "TIME_ZONE", "OPTIONS")
"""Keys of ``DATABASES`` that determine the owner and the form of what is created."""


def digest_function_for(
    connection: BaseDatabaseWrapper,
) -> Callable[[BaseDatabaseWrapper], str] | None:
    """Return the function that digests a test database's content; None if no template is used.

    If no app has migrations (``--nomigrations``, ``TEST["MIGRATE"]``), the tables are created from
    the models, which is fast and changes with each of them.
    """
    if not get_settings().test_database_template:
        return None
    test = connection.settings_dict["TEST"]
    if test.get("MIGRATE") is False or not any(map(_has_migrations, apps.get_app_configs())):
        return None
    return content_digest


def content_digest(connection: BaseDatabaseWrapper) -> str:
    """Return a digest of everything known to determine what the migrations create.

    Arguments:
        connection: a connection of the alias, to any database of its server.
    """
    return hashlib.sha256(b"\0".join((*_parts(connection), b""))).hexdigest()


def _parts(connection: BaseDatabaseWrapper) -> Iterator[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
    own = connection.settings_dict
    yield _text("versions", __version__, django.VERSION, sys.version_info[:2], server)
    yield _text("alias", connection.alias, {name: own.get(name) for name in CONNECTION})
    yield _text("settings", {name: getattr(settings, name, None) for name in SETTINGS})
    yield _text("domains", [astuple(domain) for domain in get_domains()])
    yield _text("caches", [getattr(caches[alias], "_table", None) for alias in settings.CACHES])
    for config in apps.get_app_configs():
        package = sys.modules[config.name.partition(".")[0]]
        version = str(getattr(package, "__version__", ""))
        yield _text("app", config.name, config.label, version)
        for model in config.get_models(include_auto_created=True, include_swapped=True):
            yield _text("model", *_described(model, connection))
        yield from _files(config.label)
        if not _has_migrations(config):
            yield from _sql(config, connection)


def _text(*values: Any) -> bytes:
    return json.dumps(values, default=_named, sort_keys=True).encode()


def _named(value: Any) -> Any:
    """Return a value in a form that is equal in every process."""
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    name = getattr(value, "__qualname__", None)
    return str(value) if name is None else f"{value.__module__}.{name}"


def _described(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[Any]:
    """Yield what receivers of ``post_migrate`` write about a model, and its names."""
    options = model._meta
    yield options.label
    yield from (options.db_table, options.managed, options.proxy, options.swapped)
    yield from (options.verbose_name_raw, options.default_permissions, options.permissions)
    yield router.allow_migrate_model(connection.alias, model)


def _has_migrations(config: AppConfig) -> bool:
    return migrations_module(config.label) is not None and bool(migrations_on_disk([config.label]))


def _files(label: str) -> Iterator[bytes]:
    """Yield every file of the app's migrations, including snapshots and data files."""
    for folder in migrations_folders(label):
        for path in sorted(folder.rglob("*")):
            if "__pycache__" not in path.parts and path.is_file():
                yield str(path.relative_to(folder)).encode()
                yield hashlib.sha256(path.read_bytes()).digest()


def _sql(config: AppConfig, connection: BaseDatabaseWrapper) -> Iterator[bytes]:
    """Yield the statements that create the tables of an app without migrations."""
    for model in router.get_migratable_models(config, connection.alias):
        if model._meta.can_migrate(connection):
            with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                editor.create_model(model)
            yield from (str(statement).encode() for statement in editor.collected_sql)
