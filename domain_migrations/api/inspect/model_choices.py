"""Enumerations for the values that an enum type or a CHECK constraint lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from .model_names import PLAIN, class_words, unique, words
from .python_source import (
    INDENT,
    WIDTH,
    Named,
    Text,
    list_of,
    literal,
    statement,
    tuple_of,
    width,
)
from .schema_description import NamedType


class ChoicesNames:
    """Names of enumerations, none of which is another name of the module.

    Arguments:
        taken: the names of classes, and of what the module imports.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self.taken = {name.lower() for name in taken}

    def of_type(self, name: str) -> str:
        """Return the name for an enum type, and take it: of ``drug_status_enum`` ``DrugStatus``.

        Arguments:
            name: without its schema.
        """
        found = words(name)
        if len(found) > 1:
            found = tuple(word for word in found if word != "enum") or found
        chosen = self._free(found)
        self.taken.add(chosen.lower())
        return chosen

    def of_column(self, column: str, fields: Collection[str]) -> str:
        """Return the name for the values of a column, in the class of its model.

        Arguments:
            fields: the names that the class has already.
        """
        return self._free(words(column), {name.lower() for name in fields})

    def _free(self, parts: Sequence[str], more: Collection[str] = ()) -> str:
        name = class_words(parts) or "Choices"
        if not name.isidentifier():
            name = f"Choices{name}" if f"Choices{name}".isidentifier() else "Choices"
        taken = {*self.taken, *more}
        return name if name.lower() not in taken else unique(f"{name}Choices", taken)


class EnumChoices:
    """The enumerations of a schema's enum types.

    Arguments:
        types: by name.
        columns: the types of the schema's columns; others, also of other schemas, take no name.

    Attributes:
        types: those that are enums.
    """

    def __init__(
        self, types: Mapping[str, NamedType], columns: Collection[str], names: ChoicesNames
    ) -> None:
        self.types = {name: kind for name, kind in types.items() if kind.kind == "e"}
        self.names = {
            name: names.of_type(name.rpartition(".")[2].strip('"'))
            for name in self.types
            if name in columns
        }
        self.used: set[str] = set()

    def use(self, name: str) -> Named:
        """Return the choices of an enum type, which the module then has to define."""
        self.used.add(name)
        return choices(self.names[name], self.types[name].labels)

    def definitions(self) -> Iterator[list[str]]:
        """Yield the lines of each enumeration that is used."""
        for name, kind in self.types.items():
            if name in self.used:
                yield list(enumeration(self.names[name], kind.labels))


def choices(name: str, values: Sequence[str]) -> Named:
    """Return the choices of an enumeration."""
    pairs = [tuple_of([Text(value), Text(label)]) for _, value, label in _members(values)]
    return Named(f"{name}.choices", list_of(pairs))


def enumeration(name: str, values: Sequence[str], depth: int = 0) -> Iterator[str]:
    """Yield the lines of a class of choices.

    Arguments:
        depth: of its indentation.
    """
    yield f"{INDENT * depth}class {name}(models.TextChoices):"
    for member, value, label in _members(values):
        line = f"{INDENT * (depth + 1)}{member} = {literal(value)}, {literal(label)}"
        if label == _default_label(member):
            yield from statement(f"{member} = ", Text(value), depth + 1)
        elif width(line) <= WIDTH:
            yield line
        else:
            pair = tuple_of([Text(value), Text(label)])
            yield from statement(f"{member} = ", pair, depth + 1)


def _members(values: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield member, value and label; the label of a plain value is the one Django would give."""
    taken: set[str] = set()
    for value in values:
        name = "_".join(words(value)).upper() or "BLANK"
        if not name.isidentifier():
            name = f"VALUE_{name}" if f"VALUE_{name}".isidentifier() else "VALUE"
        if name.lower() in taken:
            name = unique(name.lower(), taken).upper()
        taken.add(name.lower())
        yield name, value, _default_label(name) if PLAIN.fullmatch(value) else value


def _default_label(member: str) -> str:
    return member.replace("_", " ").title()
