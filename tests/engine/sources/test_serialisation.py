"""The serialisation of source that is being written is that of the source."""

from __future__ import annotations

import ast

import pytest

from domain_migrations.engine.sources import serialisation
from domain_migrations.engine.sources.serialisation import constant, expression


@pytest.mark.parametrize("value", ["", 'it\'s "é"\n\\', 1, 0.5, None, True, b"a"])
def test_constant(value: object) -> None:
    assert constant(value) == expression(repr(value))


@pytest.mark.parametrize(
    ("arguments", "keywords", "source"),
    [
        ([], [], "models.F()"),
        (["1", "x"], [], "models.F(1, x)"),
        ([], [("name", "'a'")], "models.F(name='a')"),
        (["[]"], [("name", "'a'"), ("null", "True")], "models.F([], name='a', null=True)"),
    ],
)
def test_call(arguments: list[str], keywords: list[tuple[str, str]], source: str) -> None:
    function = expression("models.F")
    named = [(name, expression(value)) for name, value in keywords]
    assert serialisation.call(function, map(expression, arguments), named) == expression(source)


@pytest.mark.parametrize("elements", [[], ["1"], ["1", "'a'"]])
def test_sequence(elements: list[str]) -> None:
    found = list(map(expression, elements))
    assert serialisation.sequence(ast.List, found) == expression(f"[{', '.join(elements)}]")
    source = f"({''.join(f'{item},' for item in elements)})"
    assert serialisation.sequence(ast.Tuple, found) == expression(source)


@pytest.mark.parametrize("items", [{}, {"'a'": "1"}, {"'a'": "1", "b": "f(2)"}])
def test_mapping(items: dict[str, str]) -> None:
    found = serialisation.mapping(map(expression, items), map(expression, items.values()))
    source = ", ".join(f"{key}: {value}" for key, value in items.items())
    assert found == expression(f"{{{source}}}")


def test_assignments_that_do_not_count_are_left_out() -> None:
    tree = ast.parse("a = 1\nb = 2\n")
    assert serialisation.serialise(tree, ["a"]) == serialisation.serialise(ast.parse("b = 2\n"))
