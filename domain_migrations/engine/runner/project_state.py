"""Project states of applied migrations, which render only the models that have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Self

from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.models import Model

from .loader import DomainLoader, Plan

ModelKey = tuple[str, str]
"""The app's label, and the model's name in lower case."""


MOST_RELOADS = 10
"""The number of models that one operation may render again before all are, once."""


class BulkRenderState(ProjectState):
    """A project state that renders all models once where an operation changes many of them.

    An operation with the state of a whole schema adds hundreds of models. After each of them,
    Django's state renders again what is related to it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reloads = 0

    def clone(self) -> Self:
        """Return an exact copy; mirrors ``ProjectState.clone``, which gives a plain state.

        ``Migration.apply`` and ``unapply`` copy the state before each operation.
        """
        plain = super().clone()
        copy = type(self)(plain.models, plain.real_apps)
        if "apps" in plain.__dict__:
            copy.apps = plain.apps
        copy.is_delayed = plain.is_delayed
        self._reloads = 0
        return copy

    def reload_model(self, app_label: str, model_name: str, delay: bool = False) -> None:
        self._reloads += 1
        if self._reloads > MOST_RELOADS:
            self.__dict__.pop("apps", None)
        super().reload_model(app_label, model_name, delay)


class PartialRenderState(BulkRenderState):
    """A project state that renders a model again when it, or a model it references, changes.

    A model's class holds the classes that it references: a model that references a changed one
    has to be rendered again, a model that the changed one references need not be. The latter
    keeps descriptors that lead back to the old class, which only a query through them would
    notice. So such a state counts as delayed, and Django's ``RunPython`` renders it again.
    """

    def _find_reload_model(
        self, app_label: str, model_name: str, delay: bool = False
    ) -> set[ModelKey]:
        """Return the models to render again when one has changed.

        Overrides Django's, which follows relations both ways.
        """
        self.is_delayed = True
        models = chain(self.models.values(), self.apps.real_models)
        targets = {_key(model): set(_targets(model)) for model in models}
        sources = defaultdict(set)
        for source, its_targets in targets.items():
            for target in its_targets:
                sources[target].add(source)
        found: set[ModelKey] = set()
        changed = (app_label, model_name)
        # The models that it no longer references: their reverse relations must be rendered again.
        left = set(self._targets_of_class(changed)).difference(targets[changed])
        waiting = {changed, *left}
        while waiting:
            key = waiting.pop()
            found.add(key)
            foreign = filter(self._is_foreign, targets.get(key, ()))
            waiting.update(sources[key].difference(found), set(foreign) - found)
        return found | {made for key in found for made in self._made_by(key)}

    def _is_foreign(self, key: ModelKey) -> bool:
        """Return whether a class was rendered in the registry that this one is a copy of.

        Such a class has the reverse relations of that registry.
        """
        model = self._rendered(key)
        return model is not None and model._meta.apps is not self.apps

    def _made_by(self, key: ModelKey) -> Iterator[ModelKey]:
        """Yield the many-to-many tables that came with a rendered model."""
        model = self._rendered(key)
        if model is None:
            return
        # The replaced class caches the relations to it, which the schema editor will read.
        model._meta._relation_tree  # type: ignore[attr-defined] # noqa: B018
        for field in model._meta.local_many_to_many:
            through = field.remote_field.through
            # None in a swapped model, a name if it has not been rendered.
            if isinstance(through, type) and through._meta.auto_created:
                yield resolve_relation(through)

    def _targets_of_class(self, key: ModelKey) -> Iterator[ModelKey]:
        """Yield the models that a rendered model refers to."""
        model = self._rendered(key)
        if model is None:
            return
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            if remote := field.remote_field:
                yield resolve_relation(remote.model, *key)

    def _rendered(self, key: ModelKey) -> type[Model] | None:
        label, name = key
        return self.apps.all_models[label].get(name)


def _key(model: ModelState) -> ModelKey:
    return model.app_label, model.name_lower


def _targets(model: ModelState) -> Iterator[ModelKey]:
    """Yield the models whose classes a model's class holds."""
    for base in model.bases:
        if isinstance(base, str) or hasattr(base, "_meta"):
            yield resolve_relation(base, *_key(model))
    for field in model.fields.values():
        if remote := field.remote_field:
            yield resolve_relation(remote.model, *_key(model))
            if through := getattr(remote, "through", None):
                yield resolve_relation(through, *_key(model))


def project_state(
    loader: DomainLoader,
    applied: Collection[tuple[str, str]] | None = None,
    *,
    until: Migration | None = None,
) -> ProjectState:
    """Return the project state of the loaded migrations that are applied.

    Mirrors ``MigrationExecutor._create_project_state``.

    Arguments:
        applied: those that count as applied; those that the loader has read unless given.
        until: the migration before which to stop.
    """
    if applied is None:
        applied = loader.applied_migrations
    state = PartialRenderState(real_apps=loader.unmigrated_apps)
    for key in full_order(loader):
        if until is not None and key == (until.app_label, until.name):
            break
        if key in applied:
            loader.graph.nodes[key].mutate_state(state, preserve=False)
    return state


def full_order(loader: DomainLoader) -> list[tuple[str, str]]:
    """Return all migrations in the order in which Django applies them to an empty database."""
    plans = map(loader.graph.forwards_plan, loader.graph.leaf_nodes())
    return list(dict.fromkeys(chain.from_iterable(plans)))


def in_run_order(loader: DomainLoader, plan: Plan) -> Plan:
    """Return a plan in the order in which Django's executor runs it.

    The plan of a target may have another order than that of an empty database, which
    ``MigrationExecutor._migrate_all_forwards`` follows; backwards, a plan is followed as it is.
    """
    if any(backwards for _, backwards in plan):
        return plan
    position = {key: number for number, key in enumerate(full_order(loader))}
    return sorted(plan, key=lambda step: position[step[0].app_label, step[0].name])
