"""Seeds in CSV, read while their rows are written."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterable, Iterator

from ..document import CORE_KEY, KEY_KEY, TAGS_KEY, Document, SeedHeader, Table
from ..seed_files import SeedFile

MODEL_KEY = "model"
CSV_SETTINGS = (MODEL_KEY, KEY_KEY, TAGS_KEY, CORE_KEY)
CsvRow = tuple[int, list[str]]


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
