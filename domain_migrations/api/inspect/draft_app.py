"""A draft of an app: files in a temporary folder, installed in this process for a while."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps


@contextmanager
def draft_app(label: str, files: Mapping[str, str]) -> Iterator[Path]:
    """Install an app of these files, and yield its folder; afterwards nothing of it is left.

    Models of other apps do not have relations to its models any more then.

    Arguments:
        label: the app's name and label, which no other app has.
        files: path in the app's folder → text.
    """
    with tempfile.TemporaryDirectory(prefix="inspect_domain_") as root:
        folder = Path(root) / label
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        sys.path.insert(0, root)
        importlib.invalidate_caches()
        try:
            _install(label)
            yield folder
        finally:
            _uninstall(label)
            sys.path.remove(root)
            importlib.invalidate_caches()


def _install(label: str) -> None:
    """Do for one app what ``Apps.populate`` does for all."""
    registry: Any = apps
    config = AppConfig.create(label)
    config.apps = apps
    registry.app_configs[label] = config
    # Each model that a ready registry gets makes it clear all of its caches.
    registry.ready = registry.models_ready = False
    try:
        config.import_models()
    finally:
        registry.ready = registry.models_ready = True
    registry.clear_cache()


def _uninstall(label: str) -> None:
    registry: Any = apps
    for model in registry.all_models.pop(label, {}).values():
        for relation in model._meta.local_fields + model._meta.local_many_to_many:
            _remove_accessor(relation, label)
    registry.app_configs.pop(label, None)
    for name in [name for name in sys.modules if name.partition(".")[0] == label]:
        del sys.modules[name]
    registry.clear_cache()


def _remove_accessor(field: Any, label: str) -> None:
    """Remove what a relation has added to a model of another app."""
    related = field.remote_field and field.remote_field.model
    if related is None or isinstance(related, str) or related._meta.app_label == label:
        return
    name = field.remote_field.get_accessor_name()
    if name and name in vars(related):
        delattr(related, name)
