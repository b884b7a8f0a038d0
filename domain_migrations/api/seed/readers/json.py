"""Seeds in JSON, with the line of each row."""

from __future__ import annotations

import bisect
import json
from decimal import Decimal
from json.decoder import JSONArray, JSONObject  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

from ..document import SHOWN, Document, LinedDict, LinedList, parse_document
from ..seed_files import SeedFile


class _Refused(Exception):
    """What the file says cannot be taken; the text says why.

    Attributes:
        line: of the innermost mapping that it is in.
    """

    line = 1
    placed = False


class _Decoder(json.JSONDecoder):
    """Gives mappings and lists their lines, and refuses a key that is there twice.

    ``json`` has no hook that is told where it is; ``parse_object`` and ``parse_array`` of its
    decoder written in Python are.
    """

    def __init__(self, text: str) -> None:
        super().__init__(parse_float=_decimal, parse_int=_integer, object_pairs_hook=_entries)
        self.breaks = [index for index, letter in enumerate(text) if letter == "\n"]
        self.parse_object = self._object
        self.parse_array = self._array
        self.scan_once = py_make_scanner(self)

    def line(self, index: int) -> int:
        return bisect.bisect_left(self.breaks, index) + 1

    def _object(self, where: tuple[str, int], *rest: Any) -> tuple[Any, int]:
        line = self.line(where[1] - 1)
        try:
            made, end = JSONObject(where, *rest)
        except _Refused as exc:
            if not exc.placed:
                exc.line, exc.placed = line, True
            raise
        made.line = line
        made.lines = {
            name: getattr(value, "line", line) if isinstance(value, LinedDict | LinedList) else line
            for name, value in made.items()
        }
        return made, end

    def _array(self, where: tuple[str, int], *rest: Any) -> tuple[Any, int]:
        values, end = JSONArray(where, *rest)
        made = LinedList(values)
        made.line = self.line(where[1] - 1)
        made.lines = [getattr(value, "line", made.line) for value in made]
        return made, end


def _entries(pairs: list[tuple[str, Any]]) -> LinedDict:
    made = LinedDict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"{twice!r} is there twice.")
    return made


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError as exc:
        raise _Refused(f"{text[:SHOWN]} is beyond all numbers.") from exc


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as exc:
        raise _Refused(f"{text[:SHOWN]}… has more digits than Python reads.") from exc


def read_json(seed: SeedFile) -> Document:
    """Return what the file says.

    Raises:
        SeedFailed: it is not JSON, has a key twice, or is not a mapping of models to rows.
    """
    try:
        text = seed.path.read_text(encoding="utf-8-sig")
        content = _Decoder(text).decode(text)
    except UnicodeDecodeError as exc:
        raise seed.not_utf8(exc) from exc
    except json.JSONDecodeError as exc:
        raise seed.failed(exc.lineno, f"this is not JSON: {exc.msg}.") from exc
    except _Refused as exc:
        raise seed.failed(exc.line, str(exc)) from exc
    except RecursionError as exc:
        raise seed.failed(None, "the values are nested too deeply.") from exc
    return parse_document(seed, content)
