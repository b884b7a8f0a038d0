"""Project states: what migrations add up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.models import Model

from .loader import DomainLoader

ModelKey = tuple[str, str]
"""The app's label, and the model's name in lower case."""


class PartialRenderState(ProjectState):
    """A project state whose models are rendered when they, or what they refer to, have changed.

    A model's class holds the classes that it refers to: what refers to a changed model has to be
    rendered again, what the model refers to need not be. The latter keeps descriptors that lead
    back to the old class, which nothing but a query through them would see: such a state counts
    as delayed, and Django's `RunPython` renders a delayed state anew.
    """

    def clone(self) -> PartialRenderState:
        """Return an exact copy; mirrors ``ProjectState.clone``, which gives a plain state."""
        plain = super().clone()
        copy = type(self)(plain.models, plain.real_apps)
        if "apps" in plain.__dict__:
            copy.apps = plain.apps
        copy.is_delayed = plain.is_delayed
        return copy

    def _find_reload_model(
        self, app_label: str, model_name: str, delay: bool = False
    ) -> set[ModelKey]:
        """Return the models to render again when one has changed.

        Overrides Django's, which follows relations both ways.
        """
        self.is_delayed = True
        targets = {_key(model): set(_targets(model)) for model in self._model_states()}
        sources = defaultdict(set)
        for source, its_targets in targets.items():
            for target in its_targets:
                sources[target].add(source)
        found: set[ModelKey] = set()
        changed = (app_label, model_name)
        # What it referred to until now: from there, the way back must be as it was.
        left = set(self._targets_of_class(changed)).difference(targets[changed])
        waiting = {changed, *left}
        while waiting:
            key = waiting.pop()
            found.add(key)
            foreign = filter(self._is_foreign, targets.get(key, ()))
            waiting.update(sources[key].difference(found), set(foreign) - found)
        return found | {made for key in found for made in self._made_by(key)}

    def _model_states(self) -> Iterator[ModelState]:
        yield from self.models.values()
        yield from self.apps.real_models

    def _is_foreign(self, key: ModelKey) -> bool:
        """Return whether a class was rendered in the registry that this one is a copy of.

        Such a class sees the relations to it as they were there.
        """
        model = self._rendered(key)
        return model is not None and model._meta.apps is not self.apps

    def _made_by(self, key: ModelKey) -> Iterator[ModelKey]:
        """Yield the many-to-many tables that came with a rendered model."""
        model = self._rendered(key)
        if model is None:
            return
        # The class that is replaced remembers what pointed at it: the schema editor will ask.
        model._meta._relation_tree  # type: ignore[attr-defined] # noqa: B018
        for field in model._meta.local_many_to_many:
            through = field.remote_field.through
            # None in a swapped model, a name where it has not been rendered.
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


def applied_project_state(loader: DomainLoader) -> ProjectState:
    """Return the project state that the loaded and applied migrations add up to.

    Mirrors ``MigrationExecutor._create_project_state``.
    """
    return project_state(loader, loader.applied_migrations)


def project_state(
    loader: DomainLoader,
    done: Collection[tuple[str, str]],
    *,
    until: Migration | None = None,
) -> ProjectState:
    """Return the project state that the loaded migrations among ``done`` add up to.

    Arguments:
        until: the migration before which to stop.
    """
    state = PartialRenderState(real_apps=loader.unmigrated_apps)
    for key in full_order(loader):
        if until is not None and key == (until.app_label, until.name):
            break
        if key in done:
            loader.graph.nodes[key].mutate_state(state, preserve=False)
    return state


def full_order(loader: DomainLoader) -> Iterator[tuple[str, str]]:
    """Yield all migrations as Django would apply them to an empty database."""
    seen: set[tuple[str, str]] = set()
    for leaf in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(leaf):
            if key not in seen:
                seen.add(key)
                yield key
