"""Readers of seeds in CSV, JSON and YAML, which keep the line of every row."""

from __future__ import annotations

import codecs
import csv
import datetime
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from ...exceptions import InvalidConfiguration
from .document import (
    CORE_KEY,
    KEY_KEY,
    SHOWN,
    TAGS,
    TAGS_KEY,
    Document,
    LinedDict,
    LinedList,
    PlainScalar,
    SeedHeader,
    Table,
    names_in,
    parse_document,
)
from .seed_files import SeedFile, python_constants

MODEL_KEY = "model"
CSV_SETTINGS = (MODEL_KEY, KEY_KEY, TAGS_KEY, CORE_KEY)
CsvRow = tuple[int, list[str]]

YAML_PREFIX = "tag:yaml.org,2002:"
YAML_TAGS = frozenset(
    YAML_PREFIX + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
)

JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}:\n]')
"""A string, or one of the characters outside of strings that the lines of objects depend on."""


def read(seed: SeedFile) -> Document:
    """Return the content of a data file, or raise SeedFailed."""
    try:
        return READERS[seed.path.suffix](seed)
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise seed.failed(line, "this is not UTF-8.") from exc
    except RecursionError as exc:
        raise seed.failed(None, "the values are nested too deeply.") from exc


def header_of(seed: SeedFile) -> SeedHeader:
    """Return the settings of a seed, or raise SeedFailed; a seed in Python is not run for it."""
    if seed.is_python:
        constants = python_constants(seed)
        tags = names_in(seed, constants.get(TAGS_KEY, ()), None)
        header = SeedHeader(tags, constants.get(CORE_KEY) is True)
    else:
        header = read(seed).header
    for tag in header.tags:
        if tag not in TAGS:
            raise seed.failed(None, f'there is no tag "{tag}"; the tags are {", ".join(TAGS)}.')
    return header


def read_csv(seed: SeedFile) -> Document:
    """Return a CSV file as a document, whose rows are read while they are iterated.

    A file of a million rows takes no memory to speak of. Lines at the top that begin with ``#``
    are settings::

        # model: Drug
        # key: standard_code
        # tags: demo
        standard_code,trade_name,manufacturer

    Raises:
        SeedFailed: the head of the file is invalid, or, while the rows are iterated, a line is.
    """
    lines = _csv_lines(seed)
    settings: dict[str, str] = {}
    number = 0
    for number, first in enumerate(lines, 1):
        if not first.startswith("#"):
            break
        name, colon, value = (part.strip() for part in first[1:].partition(":"))
        if colon and name in CSV_SETTINGS:
            if name in settings:
                raise seed.failed(number, f"{name} is given twice.")
            settings[name] = value
    else:
        raise seed.failed(number or None, "there is no line with the names of the columns.")
    rows = _csv_rows(seed, itertools.chain([first], lines), number)
    table = Table(
        model=settings.get(MODEL_KEY, ""),
        key=_csv_names(settings.get(KEY_KEY, "")),
        columns=_csv_columns(seed, rows),
        line=number,
        rows=rows,
        is_text=True,
    )
    tags = _csv_names(settings.get(TAGS_KEY, ""))
    writes_core = settings.get(CORE_KEY, "").lower() == "true"
    return Document(header=SeedHeader(tags, writes_core), tables=[table])


def _csv_names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _csv_lines(seed: SeedFile) -> Iterator[str]:
    with seed.path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            try:
                yield raw.decode()
            except UnicodeDecodeError as exc:
                raise seed.failed(number, "this is not UTF-8.") from exc


def _csv_rows(seed: SeedFile, lines: Iterable[str], first: int) -> Iterator[CsvRow]:
    """Yield rows of equal length, each with the number of its first line."""
    reader = csv.reader(lines, strict=True)
    width = 0
    while True:
        number = first + reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            raise seed.failed(number, f"{exc}.") from exc
        if row:
            width = width or len(row)
            if len(row) != width:
                raise seed.failed(number, f"the row has {len(row)} values for {width} columns.")
            yield number, row


def _csv_columns(seed: SeedFile, rows: Iterator[CsvRow]) -> tuple[str, ...]:
    for line, row in rows:
        columns = tuple(name.strip() for name in row)
        for number, name in enumerate(columns, 1):
            if not name:
                raise seed.failed(line, f"column {number} has no name.")
            if columns.index(name) != number - 1:
                raise seed.failed(line, f"the column {name} appears twice.")
        return columns
    raise seed.failed(None, "there is no line with the names of the columns.")


class _InvalidNumber(Exception):
    """A number that Python cannot read; the text says why."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(f"{number[:SHOWN]}{why}")
        self.number = number


def read_json(seed: SeedFile) -> Document:
    """Return a JSON file as a document, or raise SeedFailed."""
    text = seed.path.read_text(encoding="utf-8-sig")
    lines = _object_lines(text)

    def mapping(pairs: list[tuple[str, Any]]) -> LinedDict:
        found = LinedDict(pairs)
        found.line, key_lines = next(lines)
        names = [name for name, _ in pairs]
        if len(found) < len(pairs):
            twice = next(name for name in names if names.count(name) > 1)
            raise seed.failed(found.line, f"{twice!r} appears twice.")
        found.lines = dict(zip(names, key_lines, strict=True))
        return found

    try:
        content = json.loads(
            text,
            parse_float=partial(_json_number, Decimal, " is out of range."),
            parse_int=partial(_json_number, int, "… has more digits than Python reads."),
            object_pairs_hook=mapping,
        )
    except json.JSONDecodeError as exc:
        raise seed.failed(exc.lineno, f"this is not JSON: {exc.msg}.") from exc
    except _InvalidNumber as exc:
        line = text.count("\n", 0, text.index(exc.number)) + 1
        raise seed.failed(line, str(exc)) from exc
    return parse_document(seed, content)


def _object_lines(text: str) -> Iterator[tuple[int, list[int]]]:
    """Yield the line of each object and those of its keys, in the order in which objects end.

    That is the order in which the decoder passes them to its hook, which gets no positions.
    """
    line = 1
    opened: list[tuple[int, list[int]]] = []
    for token in JSON_TOKEN.finditer(text):
        if token[0] == "\n":
            line += 1
        elif token[0] == "{":
            opened.append((line, []))
        elif token[0] == ":":
            opened[-1][1].append(line)
        elif token[0] == "}":
            yield opened.pop()


def _json_number(kind: Callable[[str], Any], reason: str, text: str) -> Any:
    try:
        return kind(text)
    except (ArithmeticError, ValueError) as exc:
        raise _InvalidNumber(text, reason) from exc


def read_yaml(seed: SeedFile) -> Document:
    """Return a YAML file as a document: data and nothing else.

    The file is composed into nodes and never constructed into objects, so that no tag of it can
    make Python do anything. A column, not YAML, decides the type of a plain scalar: the code
    ``NO`` is not a boolean and ``0010`` not an octal number.

    Raises:
        InvalidConfiguration: PyYAML is not installed.
        SeedFailed: the file is not YAML, has a key twice, a tag or an alias, or is not a mapping
            of models to rows.
    """
    try:
        import yaml
    except ImportError as exc:
        raise InvalidConfiguration(
            f"{seed} is written in YAML, and PyYAML is not installed.",
            hint='Run: pip install "django-domain-migrations[seeds]", or write it in JSON or CSV.',
        ) from exc

    try:
        text = seed.path.read_text(encoding="utf-8-sig")
        # An alias of an alias of an alias could be larger than the memory.
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                what = f"*{event.anchor} is an alias, which seeds do not allow."
                raise seed.failed(_yaml_line(event), what)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = _YamlNodes(seed, yaml).value(node) if node is not None else None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else None
        raise seed.failed(line, f"this is not YAML: {exc.problem or exc.context}.") from exc
    except yaml.YAMLError as exc:
        raise seed.failed(None, f"this is not YAML: {str(exc).splitlines()[0]}.") from exc
    return parse_document(seed, content)


class _YamlNodes:
    """Turns the nodes of one file into values."""

    def __init__(self, seed: SeedFile, yaml: Any) -> None:
        self.seed = seed
        self.yaml = yaml
        self.constructor = yaml.SafeLoader("")

    def value(self, node: Any) -> Any:
        if node.tag not in YAML_TAGS:
            raise self.seed.failed(
                _yaml_line(node),
                f"the tag {node.tag.replace(YAML_PREFIX, '!!')} is not allowed: seeds are data.",
            )
        if isinstance(node, self.yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, self.yaml.SequenceNode):
            made = LinedList(self.value(item) for item in node.value)
            made.lines = [_yaml_line(item) for item in node.value]
            return made
        return self._scalar(node)

    def _mapping(self, node: Any) -> LinedDict:
        made = LinedDict()
        made.line = _yaml_line(node)
        for name, value in node.value:
            if not isinstance(name, self.yaml.ScalarNode):
                raise self.seed.failed(_yaml_line(name), "a key has to be a word.")
            if name.value in made:
                raise self.seed.failed(_yaml_line(name), f"{name.value!r} appears twice.")
            made[name.value] = self.value(value)
            made.lines[name.value] = _yaml_line(name)
        return made

    def _scalar(self, node: Any) -> Any:
        if node.tag == YAML_PREFIX + "null":
            return None
        if node.style is not None or node.tag == YAML_PREFIX + "str":
            return str(node.value)
        try:
            resolved = self.constructor.construct_object(node)
        except (ValueError, self.yaml.YAMLError):  # for example 2026-02-31
            resolved = node.value
        if isinstance(resolved, float):
            resolved = _exact(node.value, resolved)
        if isinstance(resolved, datetime.date):
            resolved = node.value
        return PlainScalar.of(node.value, resolved)


def _exact(text: str, number: float) -> Any:
    """Return the number as it is written, where YAML's spelling is Python's."""
    try:
        exact = Decimal(text)
    except ArithmeticError:
        return number
    return exact if exact.is_finite() else number


def _yaml_line(node: Any) -> int:
    return int(node.start_mark.line) + 1


READERS: dict[str, Callable[[SeedFile], Document]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}
