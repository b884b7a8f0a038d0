"""Checksums of migrations: equal on every Python, and independent of layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain_migrations.engine.sources.checksum import checksum, checksum_in_parts
from domain_migrations.engine.sources.serialisation import expression

VECTORS = json.loads((Path(__file__).parent / "checksum_vectors.json").read_text())
SOURCE = 'class Migration:\n    operations = [f("a", null=True)]\n'


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["what"])
def test_vector(vector: dict[str, str]) -> None:
    assert checksum(vector["source"]) == vector["checksum"]


@pytest.mark.parametrize(
    "other",
    [
        '# a comment\nclass Migration:\n    operations = [f("a", null=True)]  # another\n',
        "class Migration:\n\n    operations = [\n        f('a', null=True),\n    ]\n",
        'class Migration:\n    operations = [f("a", null=True,)]',
    ],
)
def test_layout_does_not_count(other: str) -> None:
    assert checksum(other) == checksum(SOURCE)


@pytest.mark.parametrize(
    "other",
    [
        SOURCE.replace("True", "False"),
        SOURCE.replace('"a"', '"b"'),
        SOURCE.replace('"a"', "'a', 1"),
        SOURCE.replace("null=", "blank="),
        SOURCE.replace("True", "1"),
        SOURCE + "    atomic = False\n",
    ],
)
def test_meaning_counts(other: str) -> None:
    assert checksum(other) != checksum(SOURCE)


def test_bytes_are_read_in_the_encoding_that_they_declare() -> None:
    text = '# -*- coding: latin-1 -*-\nname = "é"\n'
    assert checksum(text.encode("latin-1")) == checksum('name = "é"\n')


def test_version_stands_in_front() -> None:
    assert checksum("").startswith("1:")


def test_a_source_in_parts_has_the_checksum_of_all_of_it() -> None:
    source = "found = [f('é', g(x=None)), PARTS, {'a': (1, 2.0, b'c')}]\n"
    parts = [expression("f('é', g(x=None))"), expression("{'a': (1, 2.0, b'c')}")]
    assert checksum_in_parts("found = [PART, PARTS, PART]\n", parts) == checksum(source)


def test_each_part_has_a_place() -> None:
    with pytest.raises(ValueError, match="zip"):
        checksum_in_parts("found = [PART]\n", [])


def test_the_name_of_a_part_is_any_other_name_in_a_whole_source() -> None:
    assert checksum("found = PART\n") != checksum("found = OTHER\n")
