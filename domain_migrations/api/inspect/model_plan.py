"""The models of a schema: which relations have one, their names, keys and relations."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...engine.catalog.other_tools.tools import history_of
from .core_models import CoreModels
from .model_expressions import is_empty
from .model_names import ClassNames, field_name, unique
from .planned_model import ModelPlan, Note, Reference
from .related_names import RelatedNames
from .schema_description import Constraint, Relation, Schema


class Plan:
    """The models of a schema, with notes about what has none.

    Arguments:
        exclude: names of relations that are not the application's.
        reserved: names that no class may have.
    """

    def __init__(
        self,
        schema: Schema,
        core: CoreModels,
        *,
        exclude: Collection[str],
        reserved: Collection[str],
    ) -> None:
        self.schema = schema
        self.core = core
        self.notes: list[Note] = []
        chosen = [item for item in schema.relations.values() if item.name not in exclude]
        chosen = [item for item in chosen if not self._is_history(item)]
        keys = {item.name: self._key(item) for item in chosen}
        modelled = [item for item in chosen if keys[item.name]]
        classes = ClassNames([item.name for item in modelled], reserved)
        self.models = {
            item.name: ModelPlan(
                item,
                classes.add(item.name),
                keys[item.name],
                self._is_managed(item),
            )
            for item in modelled
        }
        for model in self.models.values():
            self._refer(model)
        for model in self.models.values():
            self._name_fields(model)
        self._name_targets()
        RelatedNames(self.models.values(), core).choose()

    def note(self, name: str, why: str) -> None:
        """Add a note about an object of the schema."""
        self.notes.append(Note(f"{self.schema.name}.{name}", why))

    def ordered(self) -> Iterator[ModelPlan]:
        """Yield the models by name, each after those it refers to where that is possible."""
        by_class = {model.class_name: model for model in self.models.values()}
        entered: set[str] = set()
        path: list[tuple[ModelPlan, Iterator[ModelPlan]]] = []

        def enter(model: ModelPlan) -> None:
            entered.add(model.class_name)
            names = (reference.model for reference in model.references.values())
            path.append((model, (by_class[name] for name in names if name in by_class)))

        for first in sorted(self.models.values(), key=lambda item: item.class_name):
            if first.class_name not in entered:
                enter(first)
            while path:
                model, targets = path[-1]
                target = next((each for each in targets if each.class_name not in entered), None)
                if target is None:
                    path.pop()
                    yield model
                else:
                    enter(target)

    def _is_history(self, relation: Relation) -> bool:
        if not relation.is_table:
            return False
        tool = history_of(relation.name, [column.name for column in relation.columns])
        if tool is not None:
            self.note(relation.name, "It is the history of another tool, so it has no model.")
        return tool is not None

    def _is_managed(self, relation: Relation) -> bool:
        key = relation.primary_key
        if key is None or not relation.is_table:
            return False
        index = relation.index[key.index]
        whats = (
            (key.deferrable, "is deferrable"),
            (index.include, "includes other columns"),
            (index.method != "btree", "is WITHOUT OVERLAPS"),
            (index.options, "has storage parameters"),
        )
        for is_so, what in whats:
            if is_so:
                self.note(
                    relation.name,
                    f"Its primary key {what}, which Django cannot express: the model is not"
                    " managed by migrations.",
                )
                return False
        return True

    def _key(self, relation: Relation) -> tuple[str, ...]:
        """Return the columns of the primary key; empty if the relation gets no model."""
        if relation.is_partition:
            return ()
        if any("%" in name for name in (relation.name, *relation.column)):
            self.note(relation.name, "Django cannot use a name with a per cent sign: no model.")
            return ()
        if any('"' in name for name in relation.column):
            self.note(relation.name, "Django cannot use a column with a quote: no model.")
            return ()
        if relation.primary_key is not None:
            return relation.primary_key.columns
        key = _unique_columns(relation)
        what = f"This {relation.kind} has no primary key, which Django needs"
        if key:
            names = ", ".join(key)
            self.note(
                relation.name,
                f"{what}: its model takes {names}, and is not managed by migrations.",
            )
        elif relation.is_table:
            self.note(
                relation.name,
                f"{what}, and no column that is unique and NOT NULL: it has no model. Add a primary"
                " key, or use SQL.",
            )
        else:
            self.note(
                relation.name,
                f"{what}, and no column is known to be unique: it has no model. Write one with"
                " managed = False, and primary_key=True on a column whose values are unique.",
            )
        return key

    def _name_fields(self, model: ModelPlan) -> None:
        taken: set[str] = set()
        callables = set(_callables(model.relation))
        for column in model.relation.columns:
            reference = model.references.get(column.name)
            name = field_name(column.name)
            if reference is not None:
                name = _relation_name(name, reference.model)
            if name in callables:
                name = f"{name}_field"
            while (own := _attributes(name, reference)) & taken:
                name = unique(name, {*taken, name})
            model.names[column.name] = name
            taken |= own

    def _name_targets(self) -> None:
        """Set the fields of the schema's own models that relations refer to."""
        by_class = {model.class_name: model for model in self.models.values()}
        for model in self.models.values():
            for reference in model.references.values():
                target = by_class.get(reference.model)
                if target is not None and target.key != (reference.target_column,):
                    reference.target_field = target.names[reference.target_column]

    def _refer(self, model: ModelPlan) -> None:
        for constraint in model.relation.constraints:
            if constraint.kind != "f" or constraint.target is None:
                continue
            title = f"{model.relation.name}.{constraint.name}"
            if len(constraint.columns) > 1:
                self.note(
                    title,
                    "Django has no foreign keys of several columns: the columns are plain fields,"
                    " and the constraint is in the SQL of the migration.",
                )
            elif constraint.columns[0] in model.references:
                self.note(title, "The column already is a relation: this constraint is SQL only.")
            else:
                reference = self._reference(model, constraint, title)
                if reference is not None:
                    model.references[constraint.columns[0]] = reference

    def _reference(self, model: ModelPlan, constraint: Constraint, title: str) -> Reference | None:
        schema, table = constraint.target or ("", "")
        column = constraint.target_columns[0]
        is_exact = (
            (constraint.deferrable, constraint.deferred) == (True, True)
            and (constraint.on_delete, constraint.on_update, constraint.match) == ("a", "a", "s")
            and constraint.enforced
        )
        own = constraint.columns[0]
        if model.relation.column[own].identity:
            self.note(
                title, "Its column has values of its own, which no relation has: a plain field."
            )
            return None
        is_unique = model.key == (own,) or bool(model.relation.plain_index(own, unique=True))
        if schema == self.schema.name:
            target = self.models.get(table)
            if target is None or not target.relation.is_table:
                self.note(title, f"{table} has no model, so the column is a plain field.")
                return None
            collation = target.relation.column[column].collation
            if collation != model.relation.column[own].collation:
                self.note(title, "Its two columns have different collations: a plain field.")
                return None
            if target.key != (column,) and not target.relation.plain_index(column, unique=True):
                self.note(title, f"{table}.{column} is not just UNIQUE: a plain field.")
                return None
            kind = target.relation.column[column].type
            name = target.class_name
            return Reference(constraint, name, column, "", kind, is_exact, is_unique)
        found = self.core.find(schema, table, column)
        if found is not None:
            label, name, kind = found
            return Reference(constraint, label, column, name, kind, is_exact, is_unique)
        self.note(title, self.core.why_not(schema, table, column))
        return None


def _attributes(name: str, reference: Reference | None) -> set[str]:
    return {name} if reference is None else {name, f"{name}_id"}


def _callables(relation: Relation) -> Iterator[str]:
    """Yield the callables that defaults of the fields name; a field before them would hide them."""
    for column in relation.columns:
        if column.not_null and column.default is not None and is_empty(column.default):
            yield from ("dict", "list")


def _relation_name(name: str, model: str) -> str:
    """Return the name of a relation: of ``order_id`` it is ``order``, of ``id`` the model's."""
    if name == "id":
        return field_name(model.rpartition(".")[2])
    shorter = field_name(name.removesuffix("_id"))
    return name if shorter.endswith("_field") else shorter


def _unique_columns(relation: Relation) -> tuple[str, ...]:
    """Return the columns of a unique index over columns that are not null, for a model's key."""
    for index in relation.indexes:
        columns = [relation.column[key.column] for key in index.keys if key.column]
        is_plain = len(columns) == len(index.keys) and index.unique and index.condition is None
        if is_plain and (not relation.is_table or all(item.not_null for item in columns)):
            return tuple(item.name for item in columns)
    if not relation.is_table and "id" in relation.column:
        return ("id",)
    return ()
