"""Seeds in CSV, read line by line: a file of a million rows takes no memory to speak of.

Lines at the top that begin with ``#`` are settings::

    # model: Drug
    # key: standard_code
    # tags: demo
    standard_code,trade_name,manufacturer
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator

from ..document import CORE_KEY, KEY_KEY, TAGS_KEY, Document, Row, Table
from ..seed_files import SeedFile

MODEL_KEY = "model"
SETTINGS = (MODEL_KEY, KEY_KEY, TAGS_KEY, CORE_KEY)


def read_csv(seed: SeedFile) -> Document:
    """Return what the file says; its rows are read when they are gone through.

    Raises:
        SeedFailed: its head is not as it should be, and later: a line is not.
    """
    settings, line = _settings(seed)
    reader = _Reader(seed)
    columns = _columns(seed, reader)
    table = Table(
        model=settings.get(MODEL_KEY, ""),
        key=_listed(settings.get(KEY_KEY, "")),
        columns=columns,
        line=line,
        rows=_rows(seed, reader, len(columns)),
        is_text=True,
    )
    return Document(
        tags=_listed(settings.get(TAGS_KEY, "")),
        writes_core=settings.get(CORE_KEY, "").lower() == "true",
        tables=[table],
    )


def _settings(seed: SeedFile) -> tuple[dict[str, str], int]:
    """Return the settings at the top, and the number of the line behind them."""
    settings: dict[str, str] = {}
    number = 0
    for number, line in enumerate(_lines(seed), 1):
        if not line.startswith("#"):
            return settings, number
        name, colon, value = (part.strip() for part in line[1:].partition(":"))
        if colon and name in SETTINGS:
            if name in settings:
                raise seed.failed(number, f"{name} is given twice.")
            settings[name] = value
    raise seed.failed(number or None, "there is no line with the names of the columns.")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _lines(seed: SeedFile) -> Iterator[str]:
    with seed.path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            try:
                yield raw.decode()
            except UnicodeDecodeError as exc:
                raise seed.failed(number, "this is not UTF-8.") from exc


class _Reader:
    """Rows of text, each with the number of its first line."""

    def __init__(self, seed: SeedFile) -> None:
        self.seed = seed
        self.skipped = 0
        self.reader = csv.reader(self._content(), strict=True)

    def _content(self) -> Iterator[str]:
        head = True
        for line in _lines(self.seed):
            if head and line.startswith("#"):
                self.skipped += 1
                continue
            head = False
            yield line

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            before = self.reader.line_num
            try:
                row = next(self.reader)
            except StopIteration:
                return
            except csv.Error as exc:
                raise self.seed.failed(self.skipped + before + 1, f"{exc}.") from exc
            if row:
                yield self.skipped + before + 1, row


def _columns(seed: SeedFile, reader: _Reader) -> tuple[str, ...]:
    for line, row in reader:
        columns = tuple(name.strip() for name in row)
        for number, name in enumerate(columns, 1):
            if not name:
                raise seed.failed(line, f"column {number} has no name.")
            if columns.index(name) != number - 1:
                raise seed.failed(line, f"the column {name} is there twice.")
        return columns
    raise seed.failed(None, "there is no line with the names of the columns.")


def _rows(seed: SeedFile, reader: _Reader, width: int) -> Iterator[Row]:
    for line, row in reader:
        if len(row) != width:
            raise seed.failed(line, f"the row has {len(row)} values for {width} columns.")
        yield line, row
