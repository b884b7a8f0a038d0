"""Models of the domains that a process is not about, not imported until somebody asks for models.

``manage.py migrate_domain inventory`` works with inventory's models and core's. Importing those
of a hundred other domains would be most of its time and memory. So they stay on disk, and
whoever asks for them gets them: the first question for a model of one of these domains, or for
all models, imports those of every one, in the order of ``INSTALLED_APPS``, as
``django.setup()`` does.
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
"""Commands that are about the domains they name, and core.

Others look at every model (``check``, ``makemigrations``, ``migrate``), or serve pages."""

EVERY_DOMAIN = "--all"


def should_defer(domain: str) -> bool:
    """Return whether this process was started for other domains than this one.

    As Django does, takes the first argument for the command. That an option's value or a target
    may have a domain's name only imports one domain more.
    """
    if not COMMANDS.issuperset(sys.argv[1:2]) or len(sys.argv) < 2:
        return False
    arguments = sys.argv[2:]
    # argparse takes beginnings of options too.
    every = any(len(word) > 2 and EVERY_DOMAIN.startswith(word) for word in arguments)
    return not every and domain not in arguments


class LazyModelsConfig(AppConfig):
    """An app whose models are imported when they are asked for, if its domain is left out.

    Attributes:
        domain: the domain that it belongs to.
    """

    domain: str = ""

    def import_models(self) -> None:
        """Import the models, or keep that for later."""
        if self.apps is not global_apps or lazy_models.loaded or not should_defer(self.domain):
            super().import_models()
            return
        self.models = self.apps.all_models[self.label]
        lazy_models.add(self)

    # What Django, or anybody, asks an app for its models by comes down to these two.

    @property
    def models(self) -> Any:
        """The app's models by name; None before they are imported or kept for later."""
        lazy_models.load_for(self)
        return self.__dict__["models"]

    @models.setter
    def models(self, models: dict[str, type[Model]] | None) -> None:
        self.__dict__["models"] = models

    @property
    def models_module(self) -> Any:
        """The module ``models``; None where the app has none."""
        lazy_models.load_for(self)
        return self.__dict__["models_module"]

    @models_module.setter
    def models_module(self, module: Any) -> None:
        self.__dict__["models_module"] = module


class LazyApps(Apps):
    """What the registry of all apps is while models of some are not imported.

    Django has no seam for this, so `Deferral` makes the registry one of this class, and takes
    that back before it imports the models. Django's own methods would ask every app for its
    models at each new model and at each foreign key that a migration has.
    """

    def get_models(
        self, include_auto_created: bool = False, include_swapped: bool = False
    ) -> list[type[Model]]:
        """Import what was left out, and return every model."""
        self.check_models_ready()
        lazy_models.load_all()
        return self.get_models(include_auto_created, include_swapped)

    @functools.cache  # noqa: B019 (as Django's: there is one registry)
    def get_swappable_settings_name(self, to_string: str) -> str | None:
        """As Django's, from the models that are here: those left out are nobody's to refer to."""
        wanted = to_string.lower()
        for label in self.app_configs:
            for model in self.all_models.get(label, {}).values():
                options = model._meta
                names = ((options.swapped or "").lower(), options.swappable and options.label_lower)
                if wanted in names:
                    return options.swappable
        return None

    def clear_cache(self) -> None:
        """As Django's, for the models that are here."""
        django: Any = super()
        django.get_models.cache_clear()
        LazyApps.get_swappable_settings_name.cache_clear()
        if self.ready:
            for models in self.all_models.values():
                for model in models.values():
                    options: Any = model._meta
                    options._expire_cache()


class LazyModels:
    """The apps whose models are not imported.

    Attributes:
        over: somebody asked for them; from then on everything is as always.
    """

    def __init__(self) -> None:
        self.loaded = False
        self._waiting: dict[str, LazyModelsConfig] = {}

    def add(self, config: LazyModelsConfig) -> None:
        """Keep an app's models for later."""
        self._waiting[config.label] = config
        global_apps.__class__ = LazyApps

    def load_for(self, config: LazyModelsConfig) -> None:
        """Import the models of all apps if that one's are asked for and not imported."""
        if self._waiting.get(config.label) is config:
            self.load_all()

    def load_all(self) -> None:
        """Import the models of all apps, in order.

        The registry is as it is within ``django.setup()`` meanwhile: a question for all models
        raises, instead of having half of them for an answer. If a module cannot be imported,
        the next who asks gets the same error again.
        """
        apps: Any = global_apps
        with apps._lock:
            waiting, self._waiting = self._waiting, {}
            if not waiting:
                return
            ready, models_ready = apps.ready, apps.models_ready
            apps.__class__, apps.ready, apps.models_ready = Apps, False, False
            self.loaded = True
            for config in waiting.values():
                config.models = None
            try:
                for label, config in list(waiting.items()):
                    AppConfig.import_models(config)
                    del waiting[label]
            except BaseException:
                self._keep(waiting)
                raise
            finally:
                apps.ready, apps.models_ready = ready, models_ready
                apps.clear_cache()

    def _keep(self, waiting: dict[str, LazyModelsConfig]) -> None:
        self.loaded = False
        for config in waiting.values():
            config.models = global_apps.all_models[config.label]
            self.add(config)


lazy_models = LazyModels()
"""This process's."""
