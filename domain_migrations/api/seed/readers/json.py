"""Seeds in JSON, with the lines of objects and keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from ..document import SHOWN, Document, LinedDict, parse_document
from ..seed_files import SeedFile

JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}:\n]')
"""A string, or one of the characters outside of strings that the lines of objects depend on."""


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
