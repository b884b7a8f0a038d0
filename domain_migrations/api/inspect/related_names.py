"""The names of relations in the models that they refer to."""

from __future__ import annotations

from collections.abc import Collection

from .core_models import CoreModels
from .model_names import unique
from .planned_model import ModelPlan


class RelatedNames:
    """Names for the way back of relations, where Django's would not be unique."""

    def __init__(self, models: Collection[ModelPlan], core: CoreModels) -> None:
        self.models = list(models)
        self.taken: dict[str, set[str]] = {
            model.class_name: set(model.names.values()) | set(model.attributes.values())
            for model in self.models
        }
        self.core = core

    def choose(self) -> None:
        """Set the names of all relations."""
        for model in self.models:
            targets = [reference.model for reference in model.references.values()]
            for column, reference in model.references.items():
                taken = self.taken.setdefault(
                    reference.model, self.core.taken_names(reference.model)
                )
                own = model.class_name.lower()
                suffix = "" if reference.is_unique else "_set"
                default = {own, f"{own}{suffix}"}
                if targets.count(reference.model) > 1 or default & taken:
                    wanted = f"{own}_{model.names[column]}{suffix}"
                    reference.related_name = unique(wanted, taken)
                    default = {reference.related_name}
                taken |= default
