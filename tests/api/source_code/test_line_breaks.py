"""Line breaks within the brackets of edited lines."""

from __future__ import annotations

import pytest

from domain_migrations.api.source_code.line_breaks import set_line_breaks

LONG = "a_long_argument=11, another=22"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            f'x = f("a", {LONG})\n',
            f'x = f("abcde", {LONG})\n',
            f'x = f(\n    "abcde", {LONG}\n)\n',
        ),
        (
            f'x = f(\n    "a", {LONG}\n)\n',
            f'x = f(\n    "abcdef", {LONG}\n)\n',
            'x = f(\n    "abcdef",\n    a_long_argument=11,\n    another=22,\n)\n',
        ),
        (
            'x = one("a").two("aaaaaaaaaaaaaaaaaaaaa")\n',
            'x = one("abcdef").two("aaaaaaaaaaaaaaaaaaaaa")\n',
            'x = one("abcdef").two(\n    "aaaaaaaaaaaaaaaaaaaaa"\n)\n',
        ),
        (
            'x = [\n    ("a", "bbbbbbbbbbbb", "ccccccccc"),\n]\n',
            'x = [\n    ("abcdefg", "bbbbbbbbbbbb", "ccccccccc"),\n]\n',
            'x = [\n    (\n        "abcdefg",\n        "bbbbbbbbbbbb",\n'
            '        "ccccccccc",\n    ),\n]\n',
        ),
        ('x = f(\n    "abcdefghi", b=1\n)\n', 'x = f(\n    "a", b=1\n)\n', 'x = f("a", b=1)\n'),
        ('x = f(\n    "abcd",\n)\n', 'x = f(\n    "a",\n)\n', 'x = f(\n    "a",\n)\n'),
        ('x = f(\n    "ab"  # b\n)\n', 'x = f(\n    "a"  # b\n)\n', 'x = f(\n    "a"  # b\n)\n'),
        (
            "x = f\"{get('a')} {get('bbbbbbbbbbbbbbb')}\"\n",
            "x = f\"{get('abcdefgh')} {get('bbbbbbbbbbbbbbb')}\"\n",
            "x = f\"{get('abcdefgh')} {get('bbbbbbbbbbbbbbb')}\"\n",
        ),
        (
            "x = f(f\"{get('a')} {get('bbbbb')}\", 1)\n",
            "x = f(f\"{get('abcdefg')} {get('bbbbb')}\", 1)\n",
            "x = f(\n    f\"{get('abcdefg')} {get('bbbbb')}\", 1\n)\n",
        ),
        ('x = "a"\n', f'x = "{"a" * 50}"\n', f'x = "{"a" * 50}"\n'),
    ],
)
def test_a_line_is_as_long_as_it_may_be(before: str, after: str, expected: str) -> None:
    assert set_line_breaks(before, after, 43) == expected


def test_lines_that_are_not_edited_stay() -> None:
    line = f'x = f("aaaaaaaaaaa", {LONG})\n'
    assert set_line_breaks(line, f"{line}y = 1\n", 43) == f"{line}y = 1\n"


def test_line_breaks_stay_those_of_the_file() -> None:
    lines = ["x = f(", '    "abcdefgh",', "    a_long_argument=11,", "    another=22,", ")", ""]
    edited = set_line_breaks("", f'x = f("abcdefgh", {LONG})\r\n', 43)
    assert edited == "\r\n".join(lines)
