"""Parsed definitions of indexes and constraints, comparable between Django and PostgreSQL.

``CREATE INDEX … USING GIN ("tags" array_ops)`` and ``CREATE INDEX … USING gin (tags)`` are equal.
Keywords, names and defaults get one form here; expressions are kept apart, because only PostgreSQL
can tell whether two of them are equal (see ``ExpressionNormalizer``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from ...backends.postgresql.names import truncate
from ..sql.lexer import tokens
from .expressions import unquote_identifiers

CLAUSES = frozenset(
    {"INCLUDE", "NULLS", "WITH", "TABLESPACE", "WHERE", "DEFERRABLE", "INITIALLY", "NOT", "NO"}
)
ON, OFF = frozenset({"", "on", "true", "yes"}), frozenset({"false", "no", "off"})
STATES = re.compile(r" NOT (?:VALID|ENFORCED)\b")
_NO_SPACE_AFTER = frozenset({"(", "[", ".", "::"})
_NO_SPACE_BEFORE = frozenset({")", "]", "[", ".", "::", ","})


@dataclass(frozen=True, slots=True)
class Key:
    """One part of an index or constraint.

    Attributes:
        expression: a column's name or an expression.
        rest: collation, operator class, order and exclusion operator, in one form.
    """

    expression: str
    rest: str = ""

    def __str__(self) -> str:
        return f"{self.expression} {self.rest}".rstrip()


@dataclass(frozen=True, slots=True)
class Definition:
    """An index or constraint without its name and table.

    Attributes:
        head: ``INDEX``, ``UNIQUE INDEX``, ``UNIQUE``, ``CHECK``, ``EXCLUDE``, ``PRIMARY KEY`` or
            ``FOREIGN KEY``, with the index method where it is not btree.
        keys: the columns and expressions in the first parentheses.
        where: the predicate, "" for none.
        tail: the other clauses, in one order.
    """

    head: str
    keys: tuple[Key, ...]
    where: str = ""
    tail: str = ""

    @property
    def is_index(self) -> bool:
        return "INDEX" in self.head

    @property
    def has_index(self) -> bool:
        """Whether it is an index, or a constraint with an index of the same name."""
        return not self.head.startswith(("CHECK", "FOREIGN KEY"))

    @property
    def expressions(self) -> tuple[str, ...]:
        keys = tuple(key.expression for key in self.keys)
        return (*keys, self.where) if self.where else keys

    def rewritten(self, rewrite: Callable[[str], str]) -> Definition:
        """Return the definition with every expression rewritten."""
        keys = tuple(replace(key, expression=rewrite(key.expression)) for key in self.keys)
        return replace(self, keys=keys, where=self.where and rewrite(self.where))

    def __str__(self) -> str:
        text = f"{self.head} ({', '.join(map(str, self.keys))})"
        text += f" {self.tail}" if self.tail else ""
        return text + (f" WHERE {self.where}" if self.where else "")


def parse_index(sql: str, default_classes: Collection[tuple[str, str]] = ()) -> Definition:
    """Parse a CREATE INDEX statement.

    Arguments:
        default_classes: the operator classes that are a type's default, as (method, name).
    """
    words = list(significant(sql))
    start = words.index("ON")
    kind = "UNIQUE INDEX" if "UNIQUE" in words[:start] else "INDEX"
    opening = words.index("(", start)
    method = words[words.index("USING", start) + 1] if "USING" in words[start:opening] else "btree"
    return _parse(kind, method, words[opening:], default_classes)


def parse_constraint(sql: str, default_classes: Collection[tuple[str, str]] = ()) -> Definition:
    """Parse a constraint, beginning with ``CHECK``, ``UNIQUE``, ``EXCLUDE`` …"""
    words = list(significant(sql))
    opening = words.index("(")
    head = words[:opening]
    method = head[head.index("USING") + 1] if "USING" in head else "btree"
    kind = {"PRIMARY": "PRIMARY KEY", "FOREIGN": "FOREIGN KEY"}.get(head[0], head[0])
    nulls = ["NULLS", "NOT", "DISTINCT"] if "NULLS" in head and "NOT" in head else []
    keys, rest = _group(words, opening)
    return _parse(kind, method, ["(", *keys, ")", *nulls, *rest], default_classes)


def parse_foreign_key(sql: str, schema: str) -> Definition:
    """Parse a foreign key; an unqualified target is in ``schema``."""
    words = list(significant(sql))
    keys, rest = _group(words, words.index("("))
    opening = rest.index("(")
    columns, actions = _group(rest, opening)
    target = [_truncated(word) for word in rest[1:opening]]
    if "." not in target:
        target = [schema, ".", *target]
    tail = f"REFERENCES {''.join(target)}({' '.join(columns)}) {' '.join(actions)}"
    tail = unquote_identifiers(STATES.sub("", tail)).replace(" , ", ", ").strip()
    parts = tuple(Key(unquote_identifiers("".join(key))) for key in _split(keys))
    return Definition("FOREIGN KEY", parts, tail=tail)


def _truncated(identifier: str) -> str:
    return f'"{truncate(identifier[1:-1])}"' if identifier.startswith('"') else identifier


def _parse(
    kind: str, method: str, words: Sequence[str], default_classes: Collection[tuple[str, str]]
) -> Definition:
    method = unquote_identifiers(method).lower()
    group, rest = _group(words, 0)
    clauses = dict(_clauses(rest))
    where = clauses.pop("WHERE", "")
    if kind == "CHECK":
        return Definition(kind, (Key(_joined(group)),), tail=clauses.get("NO", ""))
    return Definition(
        kind if method == "btree" else f"{kind} USING {method}",
        tuple(_key(part, method, default_classes) for part in _split(group)),
        where,
        " ".join(text for _, text in sorted(clauses.items()) if text),
    )


def _clauses(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the clauses after the keys: first word → normal form, "" for a default."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "WHERE":
            end = rest.index("DEFERRABLE") if "DEFERRABLE" in rest else len(rest)
            yield word, _joined(rest[:end])
            rest = rest[end:]
        elif word in ("INCLUDE", "WITH") and rest and rest[0] == "(":
            group, rest = _group(rest, 0)
            parts = [_joined(part) for part in _split(group)]
            if word == "WITH":
                parts = sorted(map(_parameter, parts))
            yield word, unquote_identifiers(f"{word} ({', '.join(parts)})")
        elif word == "NOT":
            rest = rest[1:]  # NOT VALID and NOT ENFORCED are states, which are compared apart.
        else:
            end = next((i for i, item in enumerate(rest) if item in CLAUSES - {"NOT"}), len(rest))
            text = " ".join([word, *rest[:end]])
            rest = rest[end:]
            yield word, "" if text in ("NULLS DISTINCT", "INITIALLY IMMEDIATE") else text


def _parameter(text: str) -> str:
    """Return a storage parameter in one form: ``a = 'true'`` is ``a=on``."""
    name, _, value = text.replace("'", "").replace(" ", "").partition("=")
    value = value.lower()
    return f"{name}={'on' if value in ON else 'off' if value in OFF else value}"


def _key(words: Sequence[str], method: str, default_classes: Collection[tuple[str, str]]) -> Key:
    end = _primary_end(words)
    rest = list(words[end:])
    operator = ""
    if "WITH" in rest:
        operator = " ".join(["WITH", *_operator(rest[rest.index("WITH") + 1 :])])
        rest = rest[: rest.index("WITH")]
    order_start = next(
        (i for i, word in enumerate(rest) if word in ("ASC", "DESC", "NULLS")), len(rest)
    )
    order = " ".join(word for word in rest[order_start:] if word != "ASC")
    order = "DESC" if order == "DESC NULLS FIRST" else order.removeprefix("NULLS LAST")
    qualities = unquote_identifiers(_joined(_without_schemas(rest[:order_start])))
    if (method, qualities) in default_classes:
        qualities = ""
    expression = _joined(words[:end])
    return Key(expression, " ".join(part for part in (qualities, order, operator) if part))


def _operator(words: Sequence[str]) -> Sequence[str]:
    """Return an operator without its schema: ``OPERATOR(public.&&)`` is ``&&``."""
    return words[-2:-1] if words[:1] == ["OPERATOR"] else words


def _without_schemas(words: Sequence[str]) -> list[str]:
    """Return the names of collations and operator classes without schemas, as models have them."""
    return [word for i, word in enumerate(words) if word != "." and words[i + 1 : i + 2] != ["."]]


def _primary_end(words: Sequence[str]) -> int:
    """Return the end of the expression at the beginning of a key."""
    end = 0
    while end < len(words):
        if words[end] == "(":
            _, rest = _group(words, end)
            return len(words) - len(rest)
        end += 1
        if words[end : end + 1] not in ([["("], ["."]]) and words[end - 1] != ".":
            return end
    return end


def _group(words: Sequence[str], opening: int) -> tuple[list[str], list[str]]:
    """Return the words in the parentheses that open there, and those after them."""
    depth = 0
    for i in range(opening, len(words)):
        depth += {"(": 1, ")": -1}.get(words[i], 0)
        if depth == 0:
            return list(words[opening + 1 : i]), list(words[i + 1 :])
    return list(words[opening + 1 :]), []


def _split(words: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(word, 0)
        if word == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def significant(sql: str) -> Iterator[str]:
    """Yield the tokens of a statement that are not white space."""
    return (token.raw for token in tokens(sql) if not token.is_blank)


def _joined(words: Sequence[str]) -> str:
    """Join the words again, with spaces where PostgreSQL would put them."""
    text = ""
    for before, word in zip(["(", *words], words, strict=False):
        tight = before in _NO_SPACE_AFTER or word in _NO_SPACE_BEFORE
        call = word == "(" and (before[0] == '"' or before.islower())
        text += word if tight or call else f" {word}"
    return text
