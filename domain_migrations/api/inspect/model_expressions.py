"""Expressions of the catalog as source: ``models.Q(…)``, ``SQL("…")`` or a value."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from ...engine.sql import lexer
from ...engine.sql.lexer import Token
from .python_imports import Imports
from .python_source import Code, Group, Text, call, list_of, one_line

STRING = re.compile(r"'((?:[^']|'')*)'(?:::[\w. \"]+(?:\(\d+\))?(?:\[\])?)?")
INTEGER = re.compile(r"-?\d+|\((-\d+)\)|'(-?\d+)'::(?:smallint|integer|bigint)")
COMPARISONS = {"=": "", ">": "__gt", ">=": "__gte", "<": "__lt", "<=": "__lte"}
LISTED = re.compile(r"ANY \((?:\()?ARRAY\[(.*?)\](?:\)?::[\w. \"]+\[\])?\)", re.DOTALL)
CAST = re.compile(r"\((.*)\)::(?:text|character varying|bpchar)", re.DOTALL)
CALL = re.compile(r"(lower|upper)\((.*)\)", re.DOTALL)
NUMBER = re.compile(
    r"\((-?[\d.]+)\)::(?:smallint|integer|bigint|numeric|real|double precision)"
    r"|'(-?[\d.]+)'::(?:numeric|double precision)"
)
"""Numbers that PostgreSQL takes for the same without the cast, beside a column of the type."""
DECIMAL = re.compile(r"-?\d+\.\d+")
TEXT_TYPES = ("text", "character varying", "bpchar")
TYPE_WORDS = (
    *("bit", "character", "double", "interval", "precision", "time", "timestamp", "varying"),
    *("with", "without", "zone"),
)
LONGEST = 60
"""The length of conditions, joined by &, that need no further line."""
SQL = "domain_migrations.exact.expressions.SQL"


class Expressions:
    """Writes the expressions of one table.

    Arguments:
        fields: column → name of its field; of a foreign key the one with the value.
        imports: of the module that is being written.
        enums: the names of types whose values are strings.
    """

    def __init__(
        self, fields: Mapping[str, str], imports: Imports, enums: Collection[str] = ()
    ) -> None:
        self.fields = fields
        self.enums = enums
        self.imports = imports

    def sql(self, text: str) -> Code:
        """Return ``SQL("…")`` with the names of fields in place of columns."""
        return call(self.imports.use(SQL), Text(self._template(text)))

    def key(self, text: str) -> Code:
        """Return an expression of an index."""
        text = without_parentheses(text)
        match = CALL.fullmatch(text)
        if match:
            name = self._column(CAST.sub(r"\1", match[2]))
            if name is not None:
                path = f"django.db.models.functions.{match[1].capitalize()}"
                return call(self.imports.use(path), Text(name))
        return self.sql(text)

    def condition(self, text: str) -> Code:
        """Return ``models.Q(…)``, with SQL in it where Q has no words for the condition."""
        plain = self._conditions(without_parentheses(text))
        if plain is None:
            return call("models.Q", self.sql(without_parentheses(text)))
        keywords = dict(plain)
        if list(keywords.items()) == sorted(plain, key=lambda pair: pair[0]):
            return call("models.Q", **keywords)
        # Q sorts its keywords, but the order of conditions belongs to the definition.
        code = " & ".join(one_line(call("models.Q", **{key: value})) for key, value in plain)
        is_long = len(code) > LONGEST
        return call("models.Q", self.sql(without_parentheses(text))) if is_long else code

    def check(self, text: str) -> Code:
        """Return the condition of a CHECK, which may be SQL without a Q."""
        code = self.condition(text)
        is_sql = isinstance(code, Group) and not code.items[0][0]
        return self.sql(without_parentheses(text)) if is_sql else code

    def listed(self, text: str) -> tuple[str, list[str]] | None:
        """Return the column and the values of ``column IN (…)``, None for anything else."""
        found = split_operator(without_parentheses(text))
        if found is None or found[1] != "=":
            return None
        name = self._column_name(found[0])
        match = LISTED.fullmatch(found[2])
        if name is None or match is None:
            return None
        values = [_string_or_number(item) for item in split(match[1], ",")]
        return None if None in values else (name, [str(value) for value in values])

    def _conditions(self, text: str) -> list[tuple[str, Code]] | None:
        """Return the keywords of Q; None where it has no words."""
        parts = split(text, "AND")
        if len(parts) > 1:
            found = [self._conditions(without_parentheses(part)) for part in parts]
            if any(item is None for item in found):
                return None
            return [pair for item in found for pair in item or ()]
        pair = self._comparison(text)
        return None if pair is None else [pair]

    def _comparison(self, text: str) -> tuple[str, Code] | None:
        for ending, value in ((" IS NOT NULL", "False"), (" IS NULL", "True")):
            if text.endswith(ending):
                name = self._column(text.removesuffix(ending))
                return None if name is None else (f"{name}__isnull", value)
        if (name := self._column(text)) is not None:
            return name, "True"
        if text.startswith("NOT "):
            name = self._column(text.removeprefix("NOT "))
            return None if name is None else (name, "False")
        found = split_operator(text)
        if found is None:
            return None
        left, operator, right = found
        column = self._column(left)
        name = column or ""
        if column is None or operator not in COMPARISONS:
            return None
        match = LISTED.fullmatch(right) if operator == "=" else None
        if match:
            items = [self._value(item) for item in split(match[1], ",")]
            known = [item for item in items if item is not None]
            return (f"{name}__in", list_of(known)) if len(known) == len(items) else None
        code = self._value(right)
        return None if code is None else (f"{name}{COMPARISONS[operator]}", code)

    def _value(self, text: str) -> Code | None:
        text = _number(CAST.sub(r"\1", without_parentheses(text.strip())))
        string = string_value(text)
        if string is not None and _type_of(text) in {"", *TEXT_TYPES, *self.enums}:
            return Text(string)
        if text in ("true", "false"):
            return text.capitalize()
        if re.fullmatch(r"-?\d+", text):
            return text
        other = self._column(text)
        return None if other is None else call("models.F", Text(other))

    def _column(self, text: str) -> str | None:
        name = self._column_name(text)
        return None if name is None else self.fields.get(name)

    def _column_name(self, text: str) -> str | None:
        """Return the name of a column that is all of an expression, perhaps cast to text."""
        text = without_parentheses(text.strip())
        match = CAST.fullmatch(text)
        text = without_parentheses(match[1]) if match else text
        found = [token for token in tokens(text) if not token.is_blank]
        if len(found) != 1 or not found[0].is_name:
            return None
        return found[0].text if found[0].text in self.fields else None

    def _template(self, text: str) -> str:
        """Return the SQL with ``{field}`` for each column."""
        found = tokens(text)
        solid = [i for i, token in enumerate(found) if not token.is_blank]
        parts = [token.raw.replace("{", "{{").replace("}", "}}") for token in found]
        in_type = False
        for place, i in enumerate(solid):
            before = found[solid[place - 1]] if place else None
            after = found[solid[place + 1]] if place + 1 < len(solid) else None
            in_type = _is_type(found[i], before, in_type)
            if found[i].is_name and not in_type and self._is_column(found[i], before, after):
                parts[i] = f"{{{self.fields[found[i].text]}}}"
        return "".join(parts)

    def _is_column(self, token: Token, before: Token | None, after: Token | None) -> bool:
        if token.text not in self.fields or (after and after.is_operator("(", ".")):
            return False
        if token.kind == "word" and after and after.is_word("from"):
            return False  # EXTRACT(year FROM …)
        if before is None:
            return True
        in_zone = (token.is_word("time") and before.is_word("at")) or (
            token.is_word("zone") and before.is_word("time")
        )
        return not (in_zone or before.is_operator(".") or before.is_word("collate"))


def _is_type(token: Token, before: Token | None, in_type: bool) -> bool:
    """Return whether a token belongs to the type after ``::``."""
    if before is not None and before.is_operator("::"):
        return True
    if not in_type:
        return False
    if before is not None and before.is_operator("."):
        return True
    return token.is_operator(".") or token.is_word(*TYPE_WORDS)


def _number(text: str) -> str:
    """Return a number without quotes, parentheses and cast; another text unchanged."""
    match = NUMBER.fullmatch(text)
    return text if match is None else match[1] or match[2]


def _string_or_number(text: str) -> str | None:
    number = _number(text)
    return number if re.fullmatch(r"-?\d+", number) else string_value(text)


def _type_of(text: str) -> str:
    """Return the type that a string is cast to, "" for none."""
    return text.rpartition("'")[2].removeprefix("::")


def default_value(text: str, kind: str, imports: Imports) -> Code | None:
    """Return a default as a value of Python, None if only SQL expresses it.

    Arguments:
        kind: the name of the field's class.
        imports: of the module that is being written.
    """
    if kind.endswith(("CharField", "TextField")):
        string = string_value(text)
        return None if string is None else Text(string)
    if kind.endswith("IntegerField"):
        match = INTEGER.fullmatch(text)
        return None if match is None else match[1] or match[2] or text
    if kind.endswith(("DecimalField", "FloatField")):
        return _decimal(_number(without_parentheses(text)), kind, imports)
    if kind.endswith("BooleanField") and text in ("true", "false"):
        return text.capitalize()
    return None


def _decimal(number: str, kind: str, imports: Imports) -> Code | None:
    if re.fullmatch(r"-?\d+", number):
        return number
    if not DECIMAL.fullmatch(number):
        return None
    if kind.endswith("FloatField"):
        return number
    return call(imports.use("decimal.Decimal"), Text(number))


def is_empty(text: str) -> bool:
    """Return whether a default is a value that forms take for no value: '' or {}."""
    return string_value(text) in ("", "{}", "[]")


def string_value(text: str) -> str | None:
    """Return the string of ``'…'::text``, None for anything else."""
    match = STRING.fullmatch(text.strip())
    return None if match is None or "\\" in match[1] else match[1].replace("''", "'")


@lru_cache(maxsize=4096)  # Tables of one schema repeat each other's expressions.
def tokens(text: str) -> tuple[Token, ...]:
    """Return all tokens of an expression."""
    return tuple(lexer.tokens(text))


@lru_cache(maxsize=4096)
def without_parentheses(text: str) -> str:
    """Return the text without the parentheses around all of it."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closing(text: str) -> int:
    depth = 0
    for token in tokens(text):
        depth += 1 if token.is_operator("(") else -1 if token.is_operator(")") else 0
        if depth == 0:
            return token.start
    return -1


def split(text: str, separator: str) -> list[str]:
    """Return the parts between the separators that are in no parentheses."""
    depth, start = 0, 0
    parts = []
    for token in tokens(text):
        if token.is_operator("(", "["):
            depth += 1
        elif token.is_operator(")", "]"):
            depth -= 1
        elif depth == 0 and token.raw == separator:
            parts.append(text[start : token.start].strip())
            start = token.end
    return [*parts, text[start:].strip()]


def split_operator(text: str) -> tuple[str, str, str] | None:
    """Return left side, operator and right side; None unless there is one comparison."""
    depth = 0
    for token in tokens(text):
        if token.is_operator("(", "["):
            depth += 1
        elif token.is_operator(")", "]"):
            depth -= 1
        elif depth == 0 and token.is_word("and", "or", "not", "case"):
            return None
        elif depth == 0 and token.raw in COMPARISONS:
            return text[: token.start].strip(), token.raw, text[token.end :].strip()
    return None
