"""The settings that swap models: the answers of Django, without asking every model each time."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.conf import settings
from django.db import models
from django.db.migrations.state import ModelState, ProjectState
from django.test import override_settings
from django.test.utils import isolate_apps

from domain_migrations.domains.swappable_names import SwappableNames

DJANGO = """\
        to_string = to_string.lower()
        for model in self.get_models(include_swapped=True):
            swapped = model._meta.swapped
            # Is this model swapped out for the model given by to_string?
            if swapped and swapped.lower() == to_string:
                return model._meta.swappable
            # Is this model swappable and the one given by to_string?
            if model._meta.swappable and model._meta.label_lower == to_string:
                return model._meta.swappable
        return None
"""
"""What Django's method does, which ours mirrors."""


def as_django(registry: Apps, to_string: str) -> str | None:
    """The text above as a function."""
    to_string = to_string.lower()
    for found in registry.get_models(include_swapped=True):
        options = found._meta
        if options.swapped and options.swapped.lower() == to_string:
            return options.swappable
        if options.swappable and options.label_lower == to_string:
            return options.swappable
    return None


def model(name: str, **meta: str) -> None:
    attributes = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": "core", **meta})}
    type(name, (models.Model,), attributes)


@pytest.fixture
def swapped() -> Iterator[Apps]:
    """A registry with a model that is swapped out for another one, and two that are not."""
    with (
        override_settings(SHOP_ITEM_MODEL="core.Thing", SHOP_CART_MODEL="core.Cart"),
        isolate_apps("core") as registry,
    ):
        model("Item", swappable="SHOP_ITEM_MODEL")
        model("Thing")
        model("Cart", swappable="SHOP_CART_MODEL")
        assert registry is not None
        yield registry


def test_django_does_what_is_mirrored() -> None:
    """Fails on a Django whose method does something else: then ours has to follow."""
    from django.apps import registry

    assert DJANGO in inspect.getsource(registry)


def test_registries_have_it() -> None:
    assert isinstance(apps.get_swappable_settings_name, SwappableNames)
    assert apps.get_swappable_settings_name is apps.get_swappable_settings_name


def test_answers_are_those_of_django(swapped: Apps) -> None:
    names = ["core.Item", "core.item", "core.Thing", "CORE.THING", "core.Cart", "core.Other"]
    found = {name: swapped.get_swappable_settings_name(name) for name in names}
    assert found == {name: as_django(swapped, name) for name in names}
    assert found["core.Item"] == found["core.Thing"] == "SHOP_ITEM_MODEL"
    assert (found["core.Cart"], found["core.Other"]) == ("SHOP_CART_MODEL", None)


def test_answers_are_those_of_django__project() -> None:
    names = [model._meta.label for model in apps.get_models(include_swapped=True)]
    found = {name: apps.get_swappable_settings_name(name) for name in names}
    assert found == {name: as_django(apps, name) for name in names}
    assert found[settings.AUTH_USER_MODEL] == "AUTH_USER_MODEL"


def test_change_of_the_registry_counts(swapped: Apps) -> None:
    assert swapped.get_swappable_settings_name("core.Thing") == "SHOP_ITEM_MODEL"
    with override_settings(SHOP_ITEM_MODEL="core.Cart"):
        swapped.clear_cache()
        assert swapped.get_swappable_settings_name("core.Thing") is None
        assert swapped.get_swappable_settings_name("core.Cart") == "SHOP_ITEM_MODEL"


def test_setting_of_the_user_model_counts() -> None:
    assert apps.get_swappable_settings_name("auth.Group") is None
    with override_settings(AUTH_USER_MODEL="auth.Group"):
        assert apps.get_swappable_settings_name("auth.Group") == "AUTH_USER_MODEL"
    assert apps.get_swappable_settings_name("auth.Group") is None


def test_rendering_a_state_asks_no_model_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of a state are no reason to forget what the project's models said."""
    asked = []
    original = Apps.get_models

    def get_models(self: Apps, *args: Any, **kwargs: Any) -> Any:
        if self is apps and kwargs.get("include_swapped"):
            asked.append(1)
        return original.__wrapped__(self, *args, **kwargs)  # type: ignore[attr-defined]

    get_models.cache_clear = original.cache_clear  # type: ignore[attr-defined]
    apps.clear_cache()
    monkeypatch.setattr(Apps, "get_models", get_models)
    state = ProjectState()
    for number in range(20):
        fields: list[tuple[str, Any]] = [("id", models.AutoField(primary_key=True))]
        if number:
            key = models.ForeignKey(f"shop.Model{number - 1}", models.CASCADE)
            fields.append(("before", key))
        state.add_model(ModelState("shop", f"Model{number}", fields))
    assert len(state.apps.get_models()) == 20
    assert len(asked) == 1
