"""Mistakes in seed files: reported by file and line, and nothing of the file is kept."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.api.seed.conftest import Write, counts, fail, forms
from tests.support.catalog import execute, query

pytestmark = pytest.mark.usefixtures("migrated_module_database")

FORM = "DosageForm: [{code: A, name: A}]\n"
HEAD = b"# model: DosageForm\ncode,name\nA,A\n"
BLOCK = re.compile(r"== (?P<name>.+): (?P<file>\S+)\n(?P<text>(?:\|.*\n)*)-> (?P<said>.+)\n")


def bad_files() -> Iterator[ParameterSet]:
    """Each block of the gallery: its name, the file's name, the text, what is said of it."""
    gallery = Path(__file__).with_name("bad_files.txt").read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(gallery))
    assert len(blocks) == gallery.count("== ")
    for block in blocks:
        text = "\n".join(line[2:] for line in block["text"].splitlines())
        yield pytest.param(block["file"], text.encode(), block["said"], id=block["name"])
    latin = "line 4: this is not UTF-8."
    yield pytest.param("001_bad.csv", HEAD + b"B,caf\xe9\n", latin, id="latin")
    yield pytest.param(
        "001_bad.yaml", b"A: []\nB: \xe9\n", "line 2: this is not UTF-8.", id="yaml latin"
    )
    yield pytest.param(
        "001_bad.json", b'{\n"A": "\xe9"}', "line 2: this is not UTF-8.", id="json latin"
    )
    nul = "line 4: PostgreSQL text fields cannot contain NUL (0x00) bytes."
    yield pytest.param("001_bad.csv", HEAD + b"B,B\0B\n", nul, id="nul")


@pytest.mark.parametrize(("name", "content", "said"), list(bad_files()))
def test_bad_file(seeds: Write, name: str, content: bytes, said: str, tmp_path: Path) -> None:
    witness = tmp_path / "executed"
    seeds(name, "").write_bytes(content.replace(b"WITNESS", str(witness).encode()))

    sentence = fail().removeprefix(f"inventory/seeds/{name}")

    assert sentence.lstrip(", ") == said.lstrip(", ")
    assert forms() == {}
    assert query("SELECT count(*) FROM inventory.locations") == [(0,)]
    assert not witness.exists()


def test_a_number_with_more_digits_than_python_reads(seeds: Write) -> None:
    seeds("001_bad.json", '{"DosageForm": [\n{"code": ' + "9" * 5000 + "}]}")

    assert fail() == (
        f"inventory/seeds/001_bad.json, line 2: {'9' * 20}… has more digits than Python reads."
    )


@pytest.mark.parametrize("bad", [3, 500, 1001, 1002])
def test_a_row_that_only_the_table_refuses_is_named(seeds: Write, bad: int) -> None:
    """A CHECK that no validator repeats, at the beginning, in the middle and at the end."""
    lines = [f"{1000 + number},A,A,asset" for number in range(1000)]
    lines[bad - 3] = "12,A,A,asset"
    seeds(
        "001_bad.csv", "# model: Account\ncode,name_en,name_th,kind\n" + "\n".join(lines), "finance"
    )
    assert fail(domain="finance") == (
        f"finance/seeds/001_bad.csv, line {bad}: new row for relation"
        ' "accounts" violates check constraint "accounts_code_check".'
    )
    assert query("SELECT count(*) FROM finance.accounts") == [(0,)]


def test_a_changed_row_that_only_the_table_refuses_is_named(seeds: Write) -> None:
    head = "# model: Location\ncode,name,parent\n"
    seeds("001_places.csv", head + "A,A,\nB,B,A\nC,C,A\n")
    try:
        assert counts() == (3, 0, 0)
        seeds("001_places.csv", head + "A,AA,\nB,BB,B\nC,CC,A\n")
        assert fail() == (
            'inventory/seeds/001_places.csv, line 4: new row for relation "locations" violates'
            ' check constraint "locations_parent_check".'
        )
        assert query("SELECT name FROM inventory.locations ORDER BY 1") == [("A",), ("B",), ("C",)]
    finally:
        execute("TRUNCATE inventory.locations CASCADE")
        execute("DELETE FROM inventory.django_seeds_inventory")
        execute("DELETE FROM inventory.django_seeds_inventory_rows")


def test_yaml_without_pyyaml(seeds: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    seeds("001_bad.yaml", FORM)
    assert fail() == (
        "inventory/seeds/001_bad.yaml is written in YAML, and PyYAML is not installed. Run: pip"
        ' install "PyYAML>=6", or write it in JSON or CSV.'
    )
