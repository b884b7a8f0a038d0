"""Large migrations are read in parts, with the same result as at once."""

from __future__ import annotations

import ast
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain_migrations.engine.sources import divided_source
from domain_migrations.engine.sources.checksum import checksum
from domain_migrations.engine.sources.divided_source import LARGE, divide
from domain_migrations.engine.sources.parsing import read_header

HEAD = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plant", "0001_initial")]
    stage = "after"

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
"""
RUN_SQL = """\
                migrations.RunSQL(
                    sql=[
                        "CREATE TABLE plant.t{0} (id int, name text DEFAULT '{1}');",
                    ],
                    reverse_sql="DROP TABLE plant.t{0};",
                ),
"""
MIDDLE = """\
            ],
            state_operations=[
"""
CREATE_MODEL = """\
                migrations.CreateModel(
                    name="T{0}",
                    fields=[
                        ("id", models.AutoField(primary_key=True)),
                        ("name", models.TextField(default="{1}")),
                    ],
                ),
"""
TAIL = """\
            ],
        ),
        migrations.RemoveField(
            "t1", "name"
        ),
    ]
"""
IN_A_STRING = '''\
                migrations.RunSQL("""
                    /*,
                migrations.RunSQL(
                    SELECT 1
                ),
                    */ SELECT 2;"""),
'''
BETWEEN_STRINGS = '''\
                migrations.RunSQL("""[
                migrations.RunSQL(
                    """, "SELECT 1", """
                ),
                """),
'''


def source(*, more: str = "", tables: int = 1000) -> str:
    """A migration such as `inspect_domain` writes."""
    return "".join(
        (
            HEAD,
            *(RUN_SQL.format(number, "x" * 40) for number in range(tables)),
            more,
            MIDDLE,
            *(CREATE_MODEL.format(number, "x" * 40) for number in range(tables)),
            TAIL,
        )
    )


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Call a function without dividing anything."""

    def call(function: Callable[..., Any], *args: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(divided_source, "LARGE", 2**40)
            return function(*args)

    return call


@pytest.mark.parametrize("more", ["", IN_A_STRING, BETWEEN_STRINGS])
@pytest.mark.parametrize("encode", [str, str.encode])
def test_checksum_is_the_same(
    at_once: Callable[..., Any], more: str, encode: Callable[[str], str | bytes]
) -> None:
    text = encode(source(more=more))
    ast.parse(text)
    found = checksum.__wrapped__(text)
    assert found == at_once(checksum.__wrapped__, text)
    assert found != checksum.__wrapped__(encode(source(more=more).replace("t999 ", "t998 ")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import migrations, models", "import migrations, models  # -*- coding: latin-1 -*-"),
        ("\n", "\r\n"),
        ('stage = "after"', "stage = _PART_0_"),
        ("                ),\n", "                )  ,\n"),
        ("                ),\n", "                ) + migrations.Nothing(),\n"),
        (
            "                migrations.CreateModel(",
            "                # [\n migrations.CreateModel(",
        ),
    ],
)
def test_checksum_is_the_same__other_spellings(
    at_once: Callable[..., Any], before: str, after: str
) -> None:
    text = source().replace(before, after).encode()
    ast.parse(text)
    assert checksum.__wrapped__(text) == at_once(checksum.__wrapped__, text)


def test_checksum__not_python() -> None:
    with pytest.raises(SyntaxError):
        checksum(source(more="                migrations.RunSQL(\n                    (\n"))


def test_string_like_a_part_is_not_one() -> None:
    divided = divide(source(more=IN_A_STRING))
    assert divided is not None
    with pytest.raises(SyntaxError, match="not an expression"):
        divided.tree()


def test_small_source_is_not_divided() -> None:
    assert len(source(tables=10)) < LARGE
    assert divide(source(tables=10)) is None
    assert divide("#" * LARGE) is None


def test_memory() -> None:
    text = source(tables=1500).encode()

    def peak() -> int:
        tracemalloc.start()
        try:
            checksum.__wrapped__(text)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    in_parts = peak()
    tree = ast.parse
    tracemalloc.start()
    kept = tree(text)
    at_once = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept.body
    assert in_parts < at_once / 3


@pytest.mark.parametrize("more", ["", IN_A_STRING, BETWEEN_STRINGS])
def test_header_is_the_same(at_once: Callable[..., Any], tmp_path: Path, more: str) -> None:
    path = tmp_path / "0002_large.py"
    path.write_text(source(more=more))
    twin = tmp_path / "0003_large.py"
    twin.write_text(source(more=more))
    found = read_header(path)
    assert found == at_once(read_header, twin)
    assert found.stage == "after"
    assert [found.operations[0].name, found.operations[-1].name] == ["RunSQL", "RemoveField"]
    assert len(found.operations) == 1001 + bool(more)
    assert (
        found.lines[-1]
        == source(more=more)[: source(more=more).index("RemoveField")].count("\n") + 1
    )
