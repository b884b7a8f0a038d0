"""The model and the app that ``transfer_model`` names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from django.apps import apps
from django.apps.config import AppConfig
from django.db.models import Model

from ...domains import Domain, get_domains
from ...exceptions import UnknownDomain, UnknownModel
from ..source_code.project_apps import is_package


def model_named(label: str) -> type[Model]:
    """Return the model of a label, such as ``"inventory.Company"``; case does not matter.

    Raises:
        UnknownModel: no app has it; the message suggests the closest match.
    """
    models = {model._meta.label.lower(): model for model in apps.get_models()}
    found = models.get(label.lower())
    if found is not None:
        return found
    name = label.rpartition(".")[2].lower()
    near = [each._meta.label for each in models.values() if each.__name__.lower() == name]
    near += [models[each]._meta.label for each in difflib.get_close_matches(label.lower(), models)]
    if "." not in label:
        raise UnknownModel(
            f'"{label}" is not the label of a model.{_guess(near)}', hint="Give it as APP.Model."
        )
    raise UnknownModel(f'There is no model "{label}".{_guess(near)}')


def app_named(name: str) -> AppConfig:
    """Return the app of a label, or the only one with models of a domain of that name.

    Raises:
        UnknownDomain: there is neither, or the domain has several such apps.
    """
    labels = {config.label: config for config in apps.get_app_configs()}
    if name in labels:
        return labels[name]
    domains = {domain.name: domain for domain in get_domains()}
    if name not in domains:
        nearest = difflib.get_close_matches(name, {*labels, *domains}, n=1)
        raise UnknownDomain(
            f'There is no app and no domain "{name}".{_guess(nearest)}',
            hint=f"The domains are {', '.join(domains)}.",
        )
    own = _apps_with_models(domains[name])
    if len(own) == 1:
        return own[0]
    listed = ", ".join(config.label for config in own)
    raise UnknownDomain(
        f'The domain "{name}" has {"several apps" if own else "no app"} with models'
        f"{f': {listed}' if own else ''}.",
        hint="Give the label of the app that gets the model.",
    )


def _apps_with_models(domain: Domain) -> list[AppConfig]:
    configs = map(apps.get_app_config, domain.app_labels)
    return [
        config
        for config in configs
        if not is_package(config) and any(True for _ in config.get_models())
    ]


def _guess(labels: Iterable[str]) -> str:
    return next((f' Did you mean "{label}"?' for label in labels), "")
