"""String constants and quoted identifiers, and their values."""

from __future__ import annotations

import re

ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))|''", re.DOTALL
)
CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
ESCAPED_PART = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
PART = re.compile(r"'((?:[^']|'')*)'")
QUOTED_PART = re.compile(r'"((?:[^"]|"")*)"')
UESCAPE = re.compile(r"""(?<=['"])\s*UESCAPE\s*'(.)'\Z""", re.IGNORECASE)


def quote_literal(text: str) -> str:
    """Return the text as a string constant, for ``standard_conforming_strings``."""
    return "'" + text.replace("'", "''") + "'"


def constant_value(raw: str) -> str:
    """Return the value of a string constant, of which all parts and prefixes are given."""
    if raw[0] == "$":
        tag = raw.index("$", 1) + 1
        return raw[tag:-tag]
    if raw[0] in "eE":
        return ESCAPE.sub(_escaped, "".join(ESCAPED_PART.findall(raw)))
    if raw[0] in "uU":
        return _unicode_value(raw, PART).replace("''", "'")
    return "".join(PART.findall(raw)).replace("''", "'")


def identifier_value(raw: str) -> str:
    """Return the name that a quoted identifier stands for."""
    if raw[0] in "uU":
        return _unicode_value(raw, QUOTED_PART).replace('""', '"')
    return raw[1:-1].replace('""', '"')


def _escaped(match: re.Match[str]) -> str:
    """Return the character that an escape in ``E'…'`` stands for."""
    *hexadecimal, octal, other = match.groups()
    if digits := next(filter(None, hexadecimal), ""):
        return _character(int(digits, 16))
    if octal:
        return chr(int(octal, 8) % 256)
    return CONTROL.get(other, other) if other else "'"


def _unicode_value(raw: str, part: re.Pattern[str]) -> str:
    """Return what is quoted after ``U&``, with its escapes replaced."""
    clause = UESCAPE.search(raw)
    text = "".join(part.findall(raw[: clause.start()] if clause else raw))
    sign = re.escape(clause[1] if clause else "\\")
    escape = re.compile(rf"{sign}(?:({sign})|([0-9a-fA-F]{{4}})|\+([0-9a-fA-F]{{6}}))")
    return escape.sub(lambda found: found[1] or _character(int(found[2] or found[3], 16)), text)


def _character(number: int) -> str:
    """Return a character; the server refuses a text with a number that has none."""
    return chr(number) if number < 0x110000 else ""
