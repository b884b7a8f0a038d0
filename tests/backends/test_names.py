"""Reading and writing table names."""

from __future__ import annotations

import pytest

from domain_migrations.backends.postgresql.names import (
    TableName,
    format_table_name,
    parse_table_name,
    truncate,
)


@pytest.mark.parametrize(
    ("db_table", "expected"),
    [
        ('"inventory"."drugs"', TableName("inventory", "drugs")),
        ('inventory"."drugs_tags', TableName("inventory", "drugs_tags")),
        ("drugs", TableName(None, "drugs")),
        ('"drugs"', TableName(None, "drugs")),
        ("inventory.drugs", TableName(None, "inventory.drugs")),
        ('"In ven.tory"."Drügs ยา"', TableName("In ven.tory", "Drügs ยา")),
        ('"a""b"."c""d"', TableName('a"b', 'c"d')),
        ('a""b"."c""d', TableName('a"b', 'c"d')),
        ('"""a"""."""b"""', TableName('"a"', '"b"')),
        ('"a"".""b"', TableName(None, 'a"."b')),
        ('"a"".""b"."c"', TableName('a"."b', "c")),
        ('"line\nbreak"."t"', TableName("line\nbreak", "t")),
    ],
)
def test_parse_table_name(db_table: str, expected: TableName) -> None:
    assert parse_table_name(db_table) == expected


@pytest.mark.parametrize(
    "db_table", ["", '"', '""', '"a".b', 'a."b"', 'a"b', '"a"."b"."c"', '"a".""', '""."b"']
)
def test_parse_table_name__not_an_identifier(db_table: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_table_name(db_table)
    assert str(caught.value) == (
        f'{db_table!r} is not a table\'s name: write "schema"."table" with both parts in double '
        "quotes, or the table alone without any."
    )


@pytest.mark.parametrize(
    ("schema", "name", "expected"),
    [
        ("inventory", "drugs", '"inventory"."drugs"'),
        ('a"b', 'c"d', '"a""b"."c""d"'),
        (None, "drugs", "drugs"),
        (None, "Drügs.x", "Drügs.x"),
        (None, 'a"."b', '"a"".""b"'),
    ],
)
def test_format_table_name(schema: str | None, name: str, expected: str) -> None:
    assert format_table_name(schema, name) == expected
    assert parse_table_name(expected) == TableName(schema, name)


def test_cut__63_bytes_and_whole_characters() -> None:
    assert truncate("x" * 70) == "x" * 63
    assert truncate("ยา" * 20) == "ยา" * 10 + "ย"
    assert truncate("short") == "short"
    assert truncate("x" * 63, 2) == "x" * 61
