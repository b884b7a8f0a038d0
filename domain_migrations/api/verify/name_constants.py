"""Names in constants: arguments such as nextval's, casts such as ``::regclass``, search paths."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from ...engine.sql.lexer import Token, tokens
from .text_values import FUNCTIONS, NO_TOKEN, Call, Tokens, calls, text_value

NameArguments = Mapping[str, Collection[tuple[int, int]]]
"""For each function the arguments that are names: of a call with how many, and which."""

Name = tuple[str, str]
"""A schema and the name of something in it; "" for the schema itself."""

NAME_TEXT_FUNCTIONS = frozenset({
    "nextval", "currval", "setval", "pg_get_serial_sequence", "to_regclass", "to_regproc",
    "to_regprocedure", "to_regtype", "to_regoper", "to_regoperator", "to_regcollation",
    "pg_get_viewdef", "row_security_active", "has_table_privilege", "has_column_privilege",
    "has_any_column_privilege", "has_sequence_privilege", "has_function_privilege",
    "has_type_privilege", "connectby", "xpath_table", "pgstattuple", "pgstattuple_approx",
    "pgstatindex", "pg_relpages", "autoinc", "check_primary_key", "check_foreign_key",
    "tsvector_update_trigger",
})  # fmt: skip
"""Functions that take names as text, or that every database has."""

SCHEMA_ARGUMENT_FUNCTIONS = frozenset({
    "to_regnamespace", "has_schema_privilege", "schema_to_xml", "schema_to_xmlschema",
    "schema_to_xml_and_xmlschema",
})  # fmt: skip
"""Functions that take the name of a schema as a string."""

REG_TYPES = frozenset({
    "regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regcollation",
    "regconfig", "regdictionary", "regnamespace",
})  # fmt: skip
PATH = re.compile(r'"([^"]+)"|([^\s,"]+)')
ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)')


def named_in_constants(
    found: Tokens, arguments: NameArguments, *, is_recorded: bool
) -> Iterator[Name]:
    """Yield the names in the constants of a statement.

    Arguments:
        arguments: the arguments of functions that are names, beside ``NAME_TEXT_FUNCTIONS``.
        is_recorded: whether PostgreSQL has recorded the constants of such types.
    """
    for call in calls(found):
        if call.name == "cast":
            operand, of_type = call.cast_parts
            yield from _cast_names(operand, of_type, is_recorded=is_recorded)
        elif call.name in SCHEMA_ARGUMENT_FUNCTIONS:
            for _, value in call.arguments:
                yield from _names(text_value(value).text, is_schema=True)
        else:
            for value in _name_arguments(call, arguments):
                if not any(token.text in REG_TYPES for token in value):  # Else it is a cast.
                    yield from _names(text_value(value).text, is_schema=False)
    for i, token in enumerate(found):
        if token.is_operator("::"):
            operand = found[_start_of_operand(found, i) : i]
            yield from _cast_names(operand, found[i + 1 :], is_recorded=is_recorded)
        elif token.kind == "string" and i and found[i - 1].text in REG_TYPES:
            yield from _names(token.text, is_schema=found[i - 1].is_word("regnamespace"))
    yield from _declared_names(found)


def _name_arguments(call: Call, arguments: NameArguments) -> Iterator[Tokens]:
    """Yield the arguments of a call that the function takes as names."""
    takes_names = call.name in NAME_TEXT_FUNCTIONS or call.name in REG_TYPES
    if not takes_names and call.name not in arguments:
        return
    given = call.arguments
    for i, (_, value) in enumerate(given):
        if takes_names or (len(given), i) in arguments[call.name]:
            yield value


def _cast_names(operand: Tokens, of_type: Tokens, *, is_recorded: bool) -> Iterator[Name]:
    """Yield the names in a text that is cast to a type of names, or to an array of it."""
    if len(of_type) > 2 and of_type[1].is_operator("."):
        of_type = of_type[2:]
    name, after = (*of_type, NO_TOKEN, NO_TOKEN)[:2]
    if name.text not in REG_TYPES:
        return
    text, is_schema = text_value(operand).text, name.is_word("regnamespace")
    if after.is_operator("["):
        for quoted, bare in ELEMENT.findall(text):
            element = re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
            yield from _names(element, is_schema=is_schema)
    elif is_schema or not (is_recorded and len(operand) == 1):
        yield from _names(text, is_schema=is_schema)


def _start_of_operand(found: Tokens, at: int) -> int:
    """Return where the operand of a cast with ``::`` begins, the casts before it included."""
    i = at - 1
    while i > 1 and found[i - 1].is_operator("::"):
        i -= 2
    if i >= 0 and found[i].is_operator(")"):
        level = 0
        while i >= 0:
            level += found[i].is_operator(")") - found[i].is_operator("(")
            if not level:
                break
            i -= 1
        if i > 0 and found[i - 1].text in FUNCTIONS:
            i -= 1
    return max(i, 0)


def _declared_names(found: Tokens) -> Iterator[Name]:
    """Yield the name in the value of a variable that is declared with a type of names."""
    at = 2 if len(found) > 1 and found[1].is_word("constant") else 1
    of_type, sign, *value = found[at:] if len(found) > at + 2 else (NO_TOKEN, NO_TOKEN)
    is_value = sign.is_operator(":=", "=") or sign.is_word("default")
    if of_type.text in REG_TYPES and is_value:
        yield from _names(text_value(tuple(value)).text, is_schema=of_type.is_word("regnamespace"))


def _names(text: str, *, is_schema: bool) -> Iterator[Name]:
    """Yield what a text such as ``hr.employees``, ``"hr".f(int)`` or ``hr`` names."""
    found = [token for token in tokens(text) if not token.is_blank]
    if not found or not found[0].is_name:
        return
    if is_schema:
        yield found[0].text, ""
    for schema, dot, name in zip(found, found[1:], found[2:], strict=False):
        if not dot.is_operator("."):
            return
        yield schema.text, name.text


def named_search_path(found: Tokens) -> tuple[set[str], bool]:
    """Return the schemas that a statement puts into the search path, and whether it computes any.

    It reads ``SET search_path``, ``SET SCHEMA``, ``set_config('search_path', …)`` and an update of
    ``pg_settings``.
    """
    schemas: set[str] = set()
    is_computed = False
    for before, token, i in zip(found, found[1:], range(1, len(found)), strict=False):
        if before.is_word("set", "local", "session") and token.is_word("search_path", "schema"):
            schemas.update(name for item in found[i + 1 :] for name in _path_names(item))
    for call in calls(found):
        if call.name != "set_config":
            continue
        keys = ("setting_name", "new_value", "is_local")
        given = {name or keys[min(i, 2)]: value for i, (name, value) in enumerate(call.arguments)}
        if text_value(given.get(keys[0], ())).text.lower() == "search_path":
            text, is_computed_here = text_value(given.get(keys[1], ()))
            schemas.update(path_schemas(text))
            is_computed |= is_computed_here
    if found[0].is_word("update") and any(token.is_word("pg_settings") for token in found):
        strings = [token.text for token in found if token.kind == "string"]
        if "search_path" in strings:
            schemas.update(name for text in strings for name in path_schemas(text))
    return schemas, is_computed


def path_schemas(text: str) -> Iterator[str]:
    """Yield the schemas in the value of a ``search_path``."""
    yield from (quoted or bare.lower() for quoted, bare in PATH.findall(text))


def _path_names(token: Token) -> Iterator[str]:
    if token.kind == "string":
        yield from path_schemas(token.text)
    elif token.is_name:
        yield token.text
