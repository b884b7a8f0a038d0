"""A model to write, its relations, and notes about what has none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .schema_description import Constraint, Relation


class Note(NamedTuple):
    """What Django cannot express.

    Attributes:
        object: qualified.
        why: a sentence, with what to do about it where something can be done.
    """

    object: str
    why: str

    def __str__(self) -> str:
        return f"{self.object}: {self.why}"


@dataclass
class Reference:
    """A foreign key of one column that is a relation of models.

    Attributes:
        model: the other model's class, or ``label.Class`` of core's.
        target_column: the column that it refers to.
        target_field: the name of the other model's field, "" for its primary key.
        target_type: the type of the column that it refers to.
        is_exact: whether Django would create the constraint exactly as it is.
        is_unique: whether each row is referred to by at most one.
    """

    constraint: Constraint
    model: str
    target_column: str
    target_field: str
    target_type: str
    is_exact: bool
    is_unique: bool
    related_name: str = ""


@dataclass
class ModelPlan:
    """A model to write.

    Attributes:
        key: the columns of its primary key.
        managed: whether migrations of the model would change the relation.
        names: column → name of its field.
        references: column → relation.
    """

    relation: Relation
    class_name: str
    key: tuple[str, ...]
    managed: bool
    names: dict[str, str] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, str]:
        """Column → attribute with its value."""
        return {
            column: f"{name}_id" if column in self.references else name
            for column, name in self.names.items()
        }
