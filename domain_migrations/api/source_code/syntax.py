"""Parts of Python's syntax as libcst has them: arguments, elements and assignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst


class CannotEdit(Exception):
    """The source does not show what is to be edited; the message is the rest of a sentence."""


def as_block(node: Any) -> Any:
    """Return a class whose body has lines of its own, also for ``class X: pass``."""
    if isinstance(node.body, cst.IndentedBlock):
        return node
    return node.with_changes(body=cst.IndentedBlock([cst.SimpleStatementLine(node.body.body)]))


def is_pass(statement: Any) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and len(statement.body) == 1
        and isinstance(statement.body[0], cst.Pass)
    )


def assignment(statements: Sequence[Any], name: str) -> tuple[int, Any] | None:
    """Return the position of the statement that assigns to a name, and the value."""
    for place, statement in enumerate(statements):
        if not isinstance(statement, cst.SimpleStatementLine):
            continue
        for small in statement.body:
            targets: Sequence[Any] = ()
            if isinstance(small, cst.Assign):
                targets = [target.target for target in small.targets]
            elif isinstance(small, cst.AnnAssign):
                targets = [small.target]
            if any(isinstance(item, cst.Name) and item.value == name for item in targets):
                return place, getattr(small, "value", None)
    return None


def argument(call: Any, name: str, position: int) -> Any:
    for number, argument in enumerate(call.args):
        if argument.star:
            continue
        if argument.keyword is None:
            if number == position:
                return argument.value
        elif argument.keyword.value == name:
            return argument.value
    return None


def with_keyword(call: Any, name: str, value: Any) -> Any:
    """Return the call with a keyword argument, as its last one unless it has it already."""
    old = argument(call, name, -1)
    if old is not None:
        require_text(old, f"computes {name}")
        return call.deep_replace(old, value)
    added = cst.Arg(
        value,
        keyword=cst.Name(name),
        equal=cst.AssignEqual(
            whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
        ),
    )
    return call.with_changes(args=appended(call.args, added, call.whitespace_before_args))


def with_item(dictionary: Any, key: str, value: str) -> Any:
    for element in dictionary.elements:
        if isinstance(element, cst.DictElement) and text_of(element.key) == key:
            require_text(element.value, f"computes {key}")
            return dictionary.deep_replace(element.value, text(value))
    quoted = cst.SimpleString(f'"{key}"')
    for element in dictionary.elements:
        written = getattr(getattr(element, "key", None), "value", "")
        if isinstance(written, str) and written.startswith("'"):
            quoted = cst.SimpleString(f"'{key}'")
    added = cst.DictElement(quoted, text(value))
    elements = appended(dictionary.elements, added, dictionary.lbrace.whitespace_after)
    return dictionary.with_changes(elements=elements)


def appended(items: Sequence[Any], item: Any, before: Any) -> list[Any]:
    """Return the arguments or elements with another one, laid out as they are.

    Arguments:
        before: the white space before the first one.
    """
    if not items:
        return [item]
    *others, last = items
    if not isinstance(last.comma, cst.Comma):
        after = getattr(last, "whitespace_after_arg", None)
        if after is not None:
            item = item.with_changes(whitespace_after_arg=after)
            last = last.with_changes(whitespace_after_arg=cst.SimpleWhitespace(""))
        comma = separator(others, None)
        return [*others, last.with_changes(comma=comma), item]
    comma = separator(others, before)
    return [*others, last.with_changes(comma=comma), item.with_changes(comma=last.comma)]


def separator(items: Sequence[Any], before: Any) -> Any:
    """Return the comma between two items, as it is between others."""
    commas = [item.comma for item in items if isinstance(item.comma, cst.Comma)]
    if commas:
        return commas[-1].with_changes(whitespace_after=_without_comment(commas[-1]))
    is_multiline = isinstance(before, cst.ParenthesizedWhitespace)
    return cst.Comma(whitespace_after=before if is_multiline else cst.SimpleWhitespace(" "))


def _without_comment(comma: Any) -> Any:
    space = comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    plain = space.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
    return space.with_changes(first_line=plain, empty_lines=[])


def require_text(node: Any, problem: str) -> None:
    if text_of(node) is None:
        raise CannotEdit(problem)


def text_of(node: Any) -> str | None:
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def text(value: str) -> Any:
    """Return a literal, in double quotes unless there are some in the text."""
    written = repr(value)
    if written[0] == "'" and '"' not in written:
        written = f'"{written[1:-1]}"'
    return cst.SimpleString(written)


def last_name(node: Any) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
