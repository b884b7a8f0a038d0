"""Constraints and indexes of a table as source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from .model_expressions import Expressions
from .planned_model import ModelPlan
from .python_imports import Imports
from .python_source import Code, Group, Text, call, list_of, tuple_of
from .schema_description import Constraint, Index, Key, Relation

OPTIONS: dict[str, dict[str, str]] = {
    "btree": {"fillfactor": "int", "deduplicate_items": "bool"},
    "gin": {"fastupdate": "bool", "gin_pending_list_limit": "int"},
    "gist": {"buffering": "bool", "fillfactor": "int"},
    "brin": {"autosummarize": "bool", "pages_per_range": "int"},
    "hash": {"fillfactor": "int"},
    "spgist": {"fillfactor": "int"},
    "bloom": {"length": "int"},
}
"""Method → the storage parameters that Django knows, and their types."""
CLASSES = {
    "btree": "BTreeIndex",
    "gin": "GinIndex",
    "gist": "GistIndex",
    "brin": "BrinIndex",
    "hash": "HashIndex",
    "spgist": "SpGistIndex",
    "bloom": "BloomIndex",
}
ON, OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
EXCLUSION_METHODS = ("gist", "spgist")
OWN_INDEXES = "domain_migrations.exact.indexes"
LONG_NAME = 30
"""Django's own indexes have no longer names."""
OPERATOR = re.compile(r"WITH (\S+)")
ONLY_IN_SQL = "Django cannot express it, so it is in the SQL of the migration only: "


class IndexNames:
    """The names of a schema's indexes and constraints that need care.

    Arguments:
        taken: names in other apps.

    Attributes:
        repeated_constraints, repeated_indexes: names that Django refuses, because another model
            has them too. A unique index is a constraint.
        long: the classes of indexes with names that Django's own classes refuse.
    """

    def __init__(self, relations: Iterable[Relation], taken: Collection[str]) -> None:
        constraints: Counter[str] = Counter(taken)
        indexes: Counter[str] = Counter(taken)
        self.long: set[str] = set()
        for relation in relations:
            constraints.update(item.name for item in relation.constraints if item.kind in "cux")
            for index in relation.indexes:
                if not index.is_of_constraint:
                    (constraints if index.unique else indexes)[index.name] += 1
                if len(index.name) > LONG_NAME:
                    self.long.add(class_name(index))
        self.repeated_constraints, self.repeated_indexes = (
            {name for name, number in found.items() if number > 1}
            for found in (constraints, indexes)
        )


def class_name(index: Index) -> str:
    """Return the name of an index's class, "" for a method that Django does not know."""
    is_plain = index.method == "btree" and not index.options
    return "Index" if is_plain else CLASSES.get(index.method, "")


class TableConstraints:
    """The constraints and indexes of a model's Meta.

    Arguments:
        implied: names of the constraints and indexes that fields stand for.
        names: of all indexes and constraints of the schema.
        note: is called with the name and the reason of what cannot be expressed.
    """

    def __init__(
        self,
        model: ModelPlan,
        expressions: Expressions,
        imports: Imports,
        implied: set[str],
        names: IndexNames,
        note: Callable[[str, str], None],
    ) -> None:
        self.model, self.relation = model, model.relation
        self.expressions, self.imports = expressions, imports
        self.implied = implied
        self.names = names
        self.note = note

    def constraints(self) -> list[Code]:
        """Return the constraints by name, with the unique indexes."""
        found: dict[str, Code | None] = {}
        for constraint in self.relation.constraints:
            if constraint.name in self.implied or constraint.kind in "pf":
                continue
            found[constraint.name] = self._constraint(constraint)
        for index in self.relation.indexes:
            is_own = index.unique and not index.is_of_constraint
            if is_own and index.name not in self.implied:
                found[index.name] = self._unique_index(index)
        return [code for _, code in sorted(found.items()) if code is not None]

    def indexes(self) -> list[Code]:
        """Return the other indexes by name."""
        found = (
            self._index(index)
            for index in self.relation.indexes
            if not (index.unique or index.is_of_constraint or index.name in self.implied)
        )
        return [code for code in found if code is not None]

    def _only_in_sql(self, name: str, why: str) -> None:
        self.note(f"{self.relation.name}.{name}", f"{ONLY_IN_SQL}{why}.")

    def _constraint(self, constraint: Constraint) -> Code | None:
        why = "" if constraint.enforced else "it is NOT ENFORCED"
        if constraint.name in self.names.repeated_constraints:
            why = "another model has a constraint of this name"
        if '"' in constraint.name:
            why = "a name with a quote"
        if constraint.kind == "c" and constraint.no_inherit:
            why = "a NO INHERIT constraint"
        index = self.relation.index.get(constraint.index)
        if constraint.kind == "u" and index and index.include:
            why = "a constraint, not an index, with INCLUDE"
        if constraint.kind == "u" and index and index.method != "btree":
            why = "a constraint WITHOUT OVERLAPS"
        if index and index.options:
            why = "storage parameters"
        if why:
            self._only_in_sql(constraint.name, why)
            return None
        if constraint.kind == "c":
            condition = self.expressions.check(constraint.condition or "true")
            return call("models.CheckConstraint", condition=condition, name=Text(constraint.name))
        if constraint.kind == "u" and index:
            return call("models.UniqueConstraint", **self._unique(constraint, index))
        return self._exclusion(constraint, index) if index else None

    def _unique(self, constraint: Constraint, index: Index) -> dict[str, Code]:
        keywords: dict[str, Code] = {"fields": self._fields(constraint.columns)}
        keywords |= self._deferrable(constraint)
        if not index.nulls_distinct:
            keywords["nulls_distinct"] = "False"
        return {**keywords, "name": Text(constraint.name)}

    def _deferrable(self, constraint: Constraint) -> dict[str, Code]:
        if not constraint.deferrable:
            return {}
        state = "DEFERRED" if constraint.deferred else "IMMEDIATE"
        return {"deferrable": f"models.Deferrable.{state}"}

    def _exclusion(self, constraint: Constraint, index: Index) -> Code | None:
        why = self._why_not(index)
        if index.method not in EXCLUSION_METHODS:
            why = f"an exclusion constraint of the method {index.method}"
        if why:
            self._only_in_sql(constraint.name, why)
            return None
        pairs = [
            tuple_of([self._expression(key, name_alone=True), Text(operator)])
            for key, operator in zip(index.keys, constraint.operators, strict=True)
        ]
        keywords: dict[str, Code] = {"name": Text(constraint.name), "expressions": list_of(pairs)}
        if index.method != "gist":
            keywords["index_type"] = Text(index.method.upper())
        if index.condition is not None:
            keywords["condition"] = self.expressions.condition(index.condition)
        keywords |= self._deferrable(constraint)
        if index.include:
            keywords["include"] = self._fields(index.include)
        path = "django.contrib.postgres.constraints.ExclusionConstraint"
        return call(self.imports.use(path), **keywords)

    def _unique_index(self, index: Index) -> Code | None:
        why = self._why_not(index)
        if why or index.options:
            self._only_in_sql(index.name, why or "a unique index with storage parameters")
            return None
        if _is_plain(index) and not any(key.descending for key in index.keys):
            keywords: dict[str, Code] = {}
            keywords["fields"] = self._fields([str(key.column) for key in index.keys])
            keywords |= self._with(index)
            # Without classes, Django would expect a constraint and not only an index.
            is_constraint = not (index.include or index.condition)
            if is_constraint or any(key.opclass for key in index.keys):
                classes = [Text(key.opclass or key.default_opclass) for key in index.keys]
                keywords["opclasses"] = list_of(classes)
            positional: list[Code] = []
        else:
            positional, keywords = self._expressions(index), self._with(index)
        if not index.nulls_distinct:
            keywords["nulls_distinct"] = "False"
        keywords["name"] = Text(index.name)
        return call("models.UniqueConstraint", *positional, **keywords)

    def _index(self, index: Index) -> Code | None:
        why = self._why_not(index)
        known = OPTIONS.get(index.method, {})
        if index.method not in CLASSES:
            why = f"the index method {index.method}"
        elif index.options.keys() - known.keys():
            why = f"the storage parameter {min(index.options.keys() - known.keys())}"
        elif unknown := [
            name
            for name, value in index.options.items()
            if known[name] == "bool" and value.lower() not in (*ON, *OFF)
        ]:
            why = f"the value of the storage parameter {unknown[0]}"
        elif index.name[0] == "_" or index.name[0].isdigit():
            why = "a name that begins with an underscore or a digit"
        if why:
            self._only_in_sql(index.name, why)
            return None
        positional: list[Code] = []
        keywords: dict[str, Code] = {}
        if _is_plain(index):
            signs = ["-" if key.descending else "" for key in index.keys]
            names = [self.model.names[str(key.column)] for key in index.keys]
            fields = [Text(sign + name) for sign, name in zip(signs, names, strict=True)]
            keywords["fields"] = list_of(fields)
            if any(key.opclass for key in index.keys):
                classes = [Text(key.opclass or key.default_opclass) for key in index.keys]
                keywords["opclasses"] = list_of(classes)
        else:
            positional = self._expressions(index)
        keywords |= self._with(index)
        for option, value in index.options.items():
            is_bool = known[option] == "bool"
            keywords[option] = str(value.lower() in ON) if is_bool else value
        keywords["name"] = Text(index.name)
        return call(self._class(index), *positional, **keywords)

    def _class(self, index: Index) -> str:
        name = class_name(index)
        package = "django.contrib.postgres.indexes"
        # One module cannot import two classes of one name.
        is_long = name in self.names.long
        if name == "Index":
            package = "django.db.models"
            is_long = len(index.name) > LONG_NAME
        return self.imports.use(f"{OWN_INDEXES if is_long else package}.{name}")

    def _why_not(self, index: Index) -> str:
        names = self.names
        if index.name in (names.repeated_constraints if index.unique else names.repeated_indexes):
            return "another model has an index or a constraint of this name"
        if '"' in index.name:
            return "a name with a quote"
        has_parameters = any(key.has_parameters for key in index.keys)
        return "an operator class has parameters" if has_parameters else ""

    def _with(self, index: Index) -> dict[str, Code]:
        keywords: dict[str, Code] = {}
        if index.include:
            keywords["include"] = self._fields(index.include)
        if index.condition is not None:
            keywords["condition"] = self.expressions.condition(index.condition)
        return keywords

    def _fields(self, columns: tuple[str, ...] | list[str]) -> Group:
        return list_of([Text(self.model.names[column]) for column in columns])

    def _expressions(self, index: Index) -> list[Code]:
        return [self._ordered(key) for key in index.keys]

    def _ordered(self, key: Key) -> Code:
        code = self._expression(key, name_alone=False)
        if key.descending == key.nulls_first:
            if not key.descending:
                return code
            return _method(code, "desc()")
        place = "nulls_last=True" if key.descending else "nulls_first=True"
        return _method(code, f"{'desc' if key.descending else 'asc'}({place})")

    def _expression(self, key: Key, *, name_alone: bool) -> Code:
        if key.column is None:
            code = self.expressions.key(key.expression)
        elif name_alone and not key.opclass and not key.collation:
            return Text(self.model.names[key.column])
        else:
            code = call("models.F", Text(self.model.names[key.column]))
        if key.collation:
            path = "django.db.models.functions.Collate"
            code = call(self.imports.use(path), code, Text(key.collation))
        if key.opclass:
            path = "django.contrib.postgres.indexes.OpClass"
            code = call(self.imports.use(path), code, name=Text(key.opclass))
        return code


def _method(code: Code, method: str) -> Code:
    if not isinstance(code, Group):
        return code
    return Group(code.opening, f"{code.closing}.{method}", code.items)


def _is_plain(index: Index) -> bool:
    """Return whether every key is a column in its usual order of nulls."""
    return all(
        key.column and not key.collation and key.descending == key.nulls_first for key in index.keys
    )
