"""What a data file says before it is compared with the models: tables, columns, rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .seed_files import SeedFile


class Missing:
    """The value of a column that a row does not have, though other rows do."""

    def __repr__(self) -> str:
        return "LEFT_OUT"


MISSING: Final = Missing()

SHOWN = 20
"""Letters of a number that a message repeats."""


class PlainScalar(str):
    """A value that is written as plain text, so that its column decides what it is.

    Attributes:
        resolved: what the file's own rules take it for; for columns without a type of their own.
    """

    typed: Any

    @classmethod
    def of(cls, text: str, resolved: Any) -> PlainScalar:
        made = cls(text)
        made.typed = resolved
        return made


Row = tuple[int, Sequence[Any]]
"""A line's number and its values, one for each column."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows that a file has for one model.

    Attributes:
        model: its name, with or without the app; empty where the file's name tells.
        key: the columns of the natural key; none where the model has only one.
        line: where the table begins.
        rows: can be gone through once.
        is_text: every value is text, as in CSV.
    """

    model: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    line: int
    rows: Iterable[Row]
    is_text: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """All that a data file says."""

    tags: tuple[str, ...] = ()
    writes_core: bool = False
    tables: Iterable[Table]


class LinedDict(dict[str, Any]):
    """A mapping that knows the lines of its own and of its keys."""

    line: int = 0
    lines: dict[str, int]


class LinedList(list[Any]):
    """A list that knows its line, and those of what is in it."""

    line: int = 0
    lines: list[int]


TAGS_KEY, CORE_KEY, KEY_KEY, ROWS_KEY = "tags", "writes_core", "key", "rows"


def parse_document(seed: SeedFile, content: Any) -> Document:
    """Return what a file of JSON or YAML says.

    Raises:
        SeedFailed: it is not a mapping of models to their rows.
    """
    if content is None:
        content = LinedDict()
        content.lines = {}
    if not isinstance(content, LinedDict):
        raise seed.failed(1, "the file has to be a mapping of models to lists of rows.")
    settings = {name: content[name] for name in (TAGS_KEY, CORE_KEY) if name in content}
    tables = [
        _table(seed, name, value, content.lines[name])
        for name, value in content.items()
        if name not in settings
    ]
    return Document(
        tags=names_in(seed, settings.get(TAGS_KEY, ()), content.lines.get(TAGS_KEY)),
        writes_core=_is_true(settings.get(CORE_KEY)),
        tables=tables,
    )


def _is_true(value: Any) -> bool:
    return (value.typed if isinstance(value, PlainScalar) else value) is True


def names_in(seed: SeedFile, value: Any, line: int | None) -> tuple[str, ...]:
    """Return the names that a setting of the file lists, or the one that it is."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise seed.failed(line, f"{value!r} is neither a name nor a list of names.")
    return tuple(str(name) for name in names)


def _table(seed: SeedFile, model: str, value: Any, line: int) -> Table:
    key: tuple[str, ...] = ()
    if isinstance(value, LinedDict):
        unknown = sorted(set(value) - {KEY_KEY, ROWS_KEY})
        if unknown or ROWS_KEY not in value:
            what = f"{model} has {unknown[0]!r}" if unknown else f"{model} has no rows"
            raise seed.failed(
                value.lines[unknown[0]] if unknown else line,
                f"{what}; it takes a list of rows, or a mapping with rows and key.",
            )
        key = names_in(seed, value.get(KEY_KEY, ()), value.lines.get(KEY_KEY))
        value = value[ROWS_KEY]
    if not isinstance(value, LinedList):
        raise seed.failed(line, f"the rows of {model} have to be a list.")
    for row, number in zip(value, value.lines, strict=True):
        if not isinstance(row, LinedDict):
            raise seed.failed(number, f"a row of {model} has to be a mapping of columns to values.")
    columns = columns_of(value)
    rows = _rows(value, value.lines, columns)
    return Table(model=model, key=key, columns=columns, line=line, rows=rows)


def columns_of(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return all columns that rows have, in the order in which they first come."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def _rows(
    rows: Iterable[Mapping[str, Any]], lines: Iterable[int], columns: Sequence[str]
) -> Iterator[Row]:
    for row, line in zip(rows, lines, strict=True):
        yield line, [row.get(name, MISSING) for name in columns]


def table_of(model: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return rows that Python has made as a table; their numbers count from 1."""
    columns = columns_of(rows)
    numbered = _rows(rows, range(1, len(rows) + 1), columns)
    return Table(model=model, key=tuple(key), columns=columns, line=0, rows=numbered)
