"""Source that is being written, in the serialisation of its checksum."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ...engine.sources import serialisation
from .python_source import Code, Group, Text
from .statement_groups import StatementGroup


def serialise_code(code: Code) -> str:
    """Return the serialisation of an expression."""
    if isinstance(code, Text):
        return serialisation.constant(code.value)
    if isinstance(code, str):
        return serialisation.expression(code)
    if not isinstance(code, Group):
        return serialisation.expression(code.name)
    opening, closing = code.opening, code.closing
    if opening == "[" and closing == "]":
        return serialisation.sequence(ast.List, _values(code))
    if opening == "(" and closing in (")", ",)"):
        return serialisation.sequence(ast.Tuple, _values(code))
    if opening == "{" and closing == "}":
        keys = (serialisation.expression(key) for key, _ in code.items)
        return serialisation.mapping(keys, _values(code))
    if closing != ")":  # A method of what the call returns.
        return serialisation.expression(code.line)
    return serialisation.call(
        serialisation.expression(opening.removesuffix("(")),
        [serialise_code(item) for key, item in code.items if not key],
        [(key, serialise_code(item)) for key, item in code.items if key],
    )


def serialise_run_sql(group: StatementGroup) -> str:
    """Return the serialisation of the operation that executes a group's statements."""
    reverse = serialisation.expression("migrations.RunSQL.noop")
    if group.backwards:
        reverse = _strings(group.backwards)
    return serialisation.call(
        serialisation.expression("migrations.RunSQL"),
        (),
        [("sql", _strings(group.forwards)), ("reverse_sql", reverse)],
    )


def _values(code: Group) -> Iterator[str]:
    return (serialise_code(item) for _, item in code.items)


def _strings(values: Iterable[str]) -> str:
    return serialisation.sequence(ast.List, map(serialisation.constant, values))
