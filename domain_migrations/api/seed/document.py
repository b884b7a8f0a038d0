"""The content of a data file, before it is compared with the models: tables, columns, rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...conf import SETTING
from ...exceptions import InvalidConfiguration
from .seed_files import SeedFile

TAGS = ("demo", "test", "production")
"""Environments that a seed can be limited to."""

TAGS_KEY, CORE_KEY, KEY_KEY, ROWS_KEY = "tags", "writes_core", "key", "rows"


@dataclass(frozen=True)
class SeedHeader:
    """The settings of a seed, known without running it.

    Attributes:
        tags: the environments that it is limited to; none for all.
        writes_core: whether it may write rows of core.
    """

    tags: tuple[str, ...] = ()
    writes_core: bool = False

    def runs_with(self, active: tuple[str, ...]) -> bool:
        """Return whether the seed belongs to an environment with these tags."""
        return not self.tags or bool(set(self.tags) & set(active))


def check_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return the tags in their order, each once, or raise InvalidConfiguration."""
    for tag in tags:
        if tag not in TAGS:
            raise InvalidConfiguration(
                f'There is no tag "{tag}" for seeds.',
                hint=f'The tags of {SETTING}["SEED_TAGS"] and --tag are {", ".join(TAGS)}.',
            )
    return tuple(tag for tag in TAGS if tag in tags)


class Missing:
    """The value of a column that a row leaves out, though other rows have it."""


MISSING: Final = Missing()

SHOWN = 20
"""Digits of a number that a message repeats."""


class PlainScalar(str):
    """A value written without quotes, whose type its column decides.

    Attributes:
        typed: the value by the rules of the file's format, for columns of JSON.
    """

    typed: Any

    @classmethod
    def of(cls, text: str, resolved: Any) -> PlainScalar:
        made = cls(text)
        made.typed = resolved
        return made


Row = tuple[int, Sequence[Any]]
"""The number of a line, and its values, one for each column."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows that a file has for one model.

    Attributes:
        model: its name, with or without the app; empty where the file's name is the model's.
        key: the columns of the natural key; empty where the model has only one.
        line: the line where the table begins.
        rows: iterable once.
        is_text: whether every value is text, as in CSV.
    """

    model: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    line: int
    rows: Iterable[Row]
    is_text: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """The content of a data file."""

    header: SeedHeader = SeedHeader()
    tables: Iterable[Table]


class LinedDict(dict[str, Any]):
    """A mapping with its line and those of its keys."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(pairs)
        self.line = 0
        self.lines: dict[str, int] = {}


class LinedList(list[Any]):
    """A list with the lines of its items."""

    lines: list[int]


def parse_document(seed: SeedFile, content: Any) -> Document:
    """Return the content of a JSON or YAML file as a document, or raise SeedFailed."""
    content = LinedDict() if content is None else content
    if not isinstance(content, LinedDict):
        raise seed.failed(1, "the file has to be a mapping of models to lists of rows.")
    tags = names_in(seed, content.get(TAGS_KEY, ()), content.lines.get(TAGS_KEY))
    writes_core = content.get(CORE_KEY)
    if isinstance(writes_core, PlainScalar):
        writes_core = writes_core.typed
    return Document(
        header=SeedHeader(tags, writes_core is True),
        tables=[
            _table(seed, name, value, content.lines[name])
            for name, value in content.items()
            if name not in (TAGS_KEY, CORE_KEY)
        ],
    )


def names_in(seed: SeedFile, value: Any, line: int | None) -> tuple[str, ...]:
    """Return the names in a setting of the file, which is one name or a list of them."""
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
    if not isinstance(value, list):
        raise seed.failed(line, f"the rows of {model} have to be a list.")
    lines = [getattr(row, "line", line) for row in value]
    if isinstance(value, LinedList):
        lines = value.lines
    for row, number in zip(value, lines, strict=True):
        if not isinstance(row, LinedDict):
            raise seed.failed(number, f"a row of {model} has to be a mapping of columns to values.")
    return table_of(model, key, value, line=line, lines=lines)


def table_of(
    model: str,
    key: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    *,
    line: int = 0,
    lines: Sequence[int] = (),
) -> Table:
    """Return rows as a table, whose columns are those of all rows in the order of their first use.

    Arguments:
        lines: the line of each row; the rows are numbered from 1 unless given.
    """
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    numbered = zip(lines or range(1, len(rows) + 1), rows, strict=True)
    values = ((number, [row.get(name, MISSING) for name in columns]) for number, row in numbered)
    return Table(model=model, key=key, columns=columns, line=line, rows=values)
