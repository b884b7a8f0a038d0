"""Line breaks within brackets of edited lines, as black and ruff set them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

BOM = "\ufeff"
MAX_CHANGES = 100
"""More lines than an edit makes too long in one file."""


@dataclass(frozen=True)
class _Bracket:
    """Brackets with items; positions are offsets in UTF-8."""

    opening: int
    closing: int
    items: tuple[tuple[int, int], ...]


def set_line_breaks(before: str, after: str, limit: int) -> str:
    """Return edited source whose new lines are not longer than the limit, where brackets allow it.

    Brackets around a single line are joined with the lines around them where that has become
    short enough. Only lines that differ from the source before are changed.
    """
    if after.startswith(BOM):
        return BOM + set_line_breaks(before.removeprefix(BOM), after.removeprefix(BOM), limit)
    old = set(before.splitlines())
    for _ in range(MAX_CHANGES):
        numbers = _candidates(after.splitlines(), _changed_lines(before, after), old, limit)
        found = next(_edits(after.encode(), numbers, limit), None) if numbers else None
        if found is None:
            break
        start, end, text = found
        data = after.encode()
        after = (data[:start] + text.encode() + data[end:]).decode()
    return after


def _candidates(lines: list[str], changed: set[int], old: set[str], limit: int) -> set[int]:
    """Return the numbers of lines that are too long, or that brackets have around them."""
    return {
        number
        for number in changed
        if (len(lines[number]) > limit and lines[number] not in old)
        or (
            0 < number < len(lines) - 1
            and lines[number - 1].rstrip().endswith(("(", "[", "{"))
            and lines[number + 1].lstrip().startswith((")", "]", "}"))
        )
    }


def _changed_lines(before: str, after: str) -> set[int]:
    """Return the numbers of lines that differ, from 0."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return {
        number
        for tag, _, _, start, end in matcher.get_opcodes()
        if tag in {"replace", "insert"}
        for number in range(start, end)
    }


def _edits(data: bytes, numbers: set[int], limit: int) -> Iterator[tuple[int, int, str]]:
    brackets = _brackets(data)
    place = 0
    for number, line in enumerate(data.splitlines(keepends=True)):
        start, end = place, place + len(line.rstrip(b"\r\n"))
        place += len(line)
        if number in numbers:
            is_long = len(data[start:end].decode()) > limit
            yield from (_split if is_long else _joined)(data, brackets, start, end, limit)


def _split(
    data: bytes, brackets: list[_Bracket], start: int, end: int, limit: int
) -> Iterator[tuple[int, int, str]]:
    """Yield the edit that breaks a line."""
    line = data[start:end].decode()
    indent = line[: len(line) - len(line.lstrip())]
    newline = "\r\n" if data[end : end + 2] == b"\r\n" else "\n"
    for bracket in brackets:
        is_around = bracket.opening < start and bracket.closing >= end
        if is_around and _holds_line(data, bracket, start, end) and len(bracket.items) > 1:
            texts = [data[first:last].decode() for first, last in bracket.items]
            yield start, end, newline.join(f"{indent}{text}," for text in texts)
            return
    within = [bracket for bracket in brackets if start <= bracket.opening and bracket.closing < end]
    if not within:
        return
    last = max(within, key=lambda bracket: bracket.closing)
    body = data[last.opening + 1 : last.closing].decode().strip()
    inner = f"{indent}    "
    if len(inner) + len(body) <= limit and not body.endswith(","):
        lines = [f"{inner}{body}"]
    else:
        texts = [data[first:last].decode() for first, last in last.items]
        lines = [f"{inner}{text}," for text in texts]
    text = newline.join(["", *lines, indent])
    yield last.opening + 1, last.closing, text


def _joined(
    data: bytes, brackets: list[_Bracket], start: int, end: int, limit: int
) -> Iterator[tuple[int, int, str]]:
    """Yield the edit that joins a line with those of the brackets around it."""
    for bracket in brackets:
        if not (bracket.opening < start and bracket.closing >= end):
            continue
        if not _holds_line(data, bracket, start, end):
            continue
        body = data[start:end].decode().strip()
        if body.endswith(","):
            continue
        first = data.rfind(b"\n", 0, bracket.opening) + 1
        last = data.find(b"\n", bracket.closing)
        head = data[first : bracket.opening + 1].decode()
        tail = data[bracket.closing : len(data) if last < 0 else last].decode().rstrip("\r")
        if "#" not in tail and len(head) + len(body) + len(tail) <= limit:
            yield bracket.opening + 1, bracket.closing, body
            return


def _holds_line(data: bytes, bracket: _Bracket, start: int, end: int) -> bool:
    """Return whether the brackets have a line of their own, and nothing else."""
    return (
        not data[bracket.opening + 1 : start].strip()
        and not data[end : bracket.closing].strip()
        and b"\n" in data[bracket.opening + 1 : start]
        and b"\n" in data[end : bracket.closing]
        and b"#" not in data[start:end]
    )


def _brackets(data: bytes) -> list[_Bracket]:
    """Return the brackets of the module, inner ones after outer ones.

    Those within an f-string are left out: before Python 3.12, no line may end there.
    """
    wrapper = MetadataWrapper(cst.parse_module(data.decode()), unsafe_skip_copy=True)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    computed = [
        (span.start, span.start + span.length)
        for node, span in spans.items()
        if isinstance(node, cst.FormattedString)
    ]
    found = []
    for node, span in spans.items():
        if isinstance(node, cst.Call):
            func = spans[node.func]
            opening = data.find(b"(", func.start + func.length)
            parts = [spans[each] for each in node.args]
        elif isinstance(node, cst.List | cst.Dict | cst.Set) or (
            isinstance(node, cst.Tuple) and node.lpar
        ):
            opening = span.start
            if isinstance(node, cst.Tuple):
                opening = (
                    data.rfind(b"(", 0, spans[node.elements[0]].start) if node.elements else -1
                )
            parts = [spans[each] for each in node.elements]
        else:
            continue
        if not parts or opening < 0:
            continue
        items = tuple((part.start, part.start + part.length) for part in parts)
        closing = _closing(data, items[-1][1])
        if any(start < opening < end for start, end in computed):
            continue
        if closing is not None and opening < items[0][0]:
            found.append(_Bracket(opening, closing, items))
    return sorted(found, key=lambda bracket: (bracket.opening, -bracket.closing))


def _closing(data: bytes, place: int) -> int | None:
    """Return where the bracket after the last item is; None if a comment is before it."""
    while place < len(data) and data[place : place + 1] in b" \t\r\n,":
        place += 1
    return place if data[place : place + 1] in {b")", b"]", b"}"} else None
