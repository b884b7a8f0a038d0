"""The apps that belong to the project itself, and the folders that they are imported from."""

from __future__ import annotations

from pathlib import Path

from django.apps.config import AppConfig

from ...engine.sources.files import is_installed

OURS = __name__.partition(".")[0]


def is_package(config: AppConfig) -> bool:
    """Return whether the app does not belong to the project, even if it runs from a checkout."""
    return config.name == OURS or is_installed(Path(config.path))


def project_root(config: AppConfig) -> Path:
    """Return the folder that the app's package is imported from."""
    return Path(config.path).resolve().parents[config.name.count(".")]
