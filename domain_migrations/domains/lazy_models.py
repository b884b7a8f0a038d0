"""Lazy import of the models of domains that a process does not migrate.

``manage.py migrate_domain inventory`` needs the models of inventory and of core. Importing those
of a hundred other domains would take most of its time and memory, so ``django.setup()`` skips
them. The first access to a model of a skipped app, or to all models, imports the models of every
skipped app in the order of ``INSTALLED_APPS``. From then on the registry is an ordinary one, so
that code which uses other domains' models sees no difference.

There are three parts, in the order in which a process uses them:

1. :func:`should_defer` decides by the command line, during ``django.setup()``, because the
   command itself is parsed only afterwards.
2. :class:`LazyModelsConfig` skips its models, and loads them when Django reads ``models`` or
   ``models_module``, on which every access through an app's config depends.
3. :class:`LazyApps` handles the methods of the registry that would otherwise read the models of
   all apps. Django cannot be configured with another registry, so :class:`LazyModels` changes
   the class of the existing one while models are skipped, and changes it back afterwards.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db.models import Model

COMMANDS = frozenset({"migrate_domain"})
"""Commands that need only the models of core and of the domains that they name.

Other commands need all models (``check``, ``makemigrations``, ``migrate``) or serve pages."""

EVERY_DOMAIN = "--all"


def should_defer(domain: str) -> bool:
    """Return whether this process was started to migrate other domains than this one.

    Like Django, this takes the first argument as the command. If the value of an option or a
    target happens to be the name of a domain, that domain's models are imported unnecessarily.
    """
    if not COMMANDS.issuperset(sys.argv[1:2]) or len(sys.argv) < 2:
        return False
    arguments = sys.argv[2:]
    # argparse also accepts abbreviated options.
    every = any(len(word) > 2 and EVERY_DOMAIN.startswith(word) for word in arguments)
    return not every and domain not in arguments


class LazyModelsConfig(AppConfig):
    """An app whose models are imported on first access if the process does not migrate its domain.

    Attributes:
        domain: the domain of the app.
    """

    domain: str = ""

    def import_models(self) -> None:
        """Import the models, or defer that."""
        if self.apps is not global_apps or lazy_models.loaded or not should_defer(self.domain):
            super().import_models()
            return
        self.models = self.apps.all_models[self.label]
        lazy_models.defer(self)

    @property
    def models(self) -> Any:
        """The app's models by name; None before they are imported or deferred."""
        lazy_models.load_for(self)
        return self.__dict__["models"]

    @models.setter
    def models(self, models: dict[str, type[Model]] | None) -> None:
        self.__dict__["models"] = models

    @property
    def models_module(self) -> Any:
        """The module ``models``; None if the app has none."""
        lazy_models.load_for(self)
        return self.__dict__["models_module"]

    @models_module.setter
    def models_module(self, module: Any) -> None:
        self.__dict__["models_module"] = module


class LazyApps(Apps):
    """The class of the global registry while the models of some apps are deferred.

    Django's own methods would read the models of every app for each new model and for each
    foreign key in a migration, which would load the deferred ones at once.
    """

    def get_models(
        self, include_auto_created: bool = False, include_swapped: bool = False
    ) -> list[type[Model]]:
        """Import the deferred models and return all models."""
        self.check_models_ready()
        lazy_models.load_all()
        return self.get_models(include_auto_created, include_swapped)

    @functools.cache  # noqa: B019 (as Django's: there is one registry)
    def get_swappable_settings_name(self, to_string: str) -> str | None:
        """Mirror Django's method for the imported models; domains have no swappable ones."""
        wanted = to_string.lower()
        for label in self.app_configs:
            for model in self.all_models.get(label, {}).values():
                options = model._meta
                names = ((options.swapped or "").lower(), options.swappable and options.label_lower)
                if wanted in names:
                    return options.swappable
        return None

    def clear_cache(self) -> None:
        """Mirror Django's method for the imported models."""
        django: Any = super()
        django.get_models.cache_clear()
        LazyApps.get_swappable_settings_name.cache_clear()
        if self.ready:
            for models in self.all_models.values():
                for model in models.values():
                    options: Any = model._meta
                    options._expire_cache()


class LazyModels:
    """The apps whose models are deferred.

    Attributes:
        loaded: whether all models are imported, after which none are deferred again.
    """

    def __init__(self) -> None:
        self.loaded = False
        self._deferred: dict[str, LazyModelsConfig] = {}

    def defer(self, config: LazyModelsConfig) -> None:
        """Defer the import of an app's models."""
        self._deferred[config.label] = config
        global_apps.__class__ = LazyApps

    def load_for(self, config: LazyModelsConfig) -> None:
        """Import all deferred models if the app's are among them."""
        if self._deferred.get(config.label) is config:
            self.load_all()

    def load_all(self) -> None:
        """Import the models of all deferred apps, in order.

        Meanwhile the registry is in the state that it has during ``django.setup()``: reading all
        models raises an error instead of returning some of them. If a module cannot be imported,
        the models stay deferred, and the next access raises the same error.
        """
        registry: Any = global_apps
        with registry._lock:
            deferred, self._deferred = self._deferred, {}
            if not deferred:
                return
            ready, models_ready = registry.ready, registry.models_ready
            registry.__class__, registry.ready, registry.models_ready = Apps, False, False
            self.loaded = True
            for config in deferred.values():
                config.models = None
            try:
                for label, config in list(deferred.items()):
                    AppConfig.import_models(config)
                    del deferred[label]
            except BaseException:
                self._defer_again(deferred)
                raise
            finally:
                registry.ready, registry.models_ready = ready, models_ready
                registry.clear_cache()

    def _defer_again(self, configs: dict[str, LazyModelsConfig]) -> None:
        self.loaded = False
        for config in configs.values():
            config.models = global_apps.all_models[config.label]
            self.defer(config)


lazy_models = LazyModels()
"""The deferred models of this process."""
