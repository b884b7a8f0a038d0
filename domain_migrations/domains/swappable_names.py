"""The settings that swap models, read once for a registry instead of once for each foreign key.

Django looks through all models of the project for each name of a model that a foreign key in a
migration's state has. It keeps the answers, but it forgets all of them as soon as any registry
gets a model, and that of a state gets hundreds: a thousand models with a foreign key each were a
million looks.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps

_KEY = "_swappable_names"


class SwappableNames:
    """The answers of one registry; mirrors ``Apps.get_swappable_settings_name``.

    They are forgotten when this registry changes, not when another does.
    """

    def __init__(self, registry: Apps) -> None:
        self.registry = registry
        self.names: dict[str, str] | None = None

    def __call__(self, to_string: str) -> str | None:
        """Return the setting that swaps a model out, or in; None for any other model."""
        if (names := self.names) is None:
            names = {}
            for model in self.registry.get_models(include_swapped=True):
                options = model._meta
                if setting := options.swappable:
                    for name in (options.swapped, options.label_lower):
                        if name:
                            names.setdefault(name.lower(), setting)
            self.names = names
        return names.get(to_string.lower())

    def cache_clear(self) -> None:
        """Forget the answers; ``Apps.clear_cache`` calls it."""
        self.names = None


class _OfRegistry:
    """The attribute of a registry that has its answers, as the method has in Django."""

    def __get__(self, registry: Apps | None, owner: type[Apps]) -> Any:
        if registry is None:
            return self
        return vars(registry).setdefault(_KEY, SwappableNames(registry))


def patch_django() -> None:
    """Replace the method where it is defined; Django 5.2 and 6.1 have no setting for it."""
    setattr(Apps, "get_swappable_settings_name", _OfRegistry())  # noqa: B010 (mypy: a method)
