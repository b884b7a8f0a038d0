"""The field of a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .model_choices import EnumChoices
from .model_expressions import default_value, is_empty
from .python_imports import Imports
from .python_source import Code, Group, Text, list_of, tuple_of
from .schema_description import Column, NamedType, Schema

DJANGO = "django.db.models."
POSTGRES = "django.contrib.postgres."
TYPED = "domain_migrations.exact.fields."
EXACT = {
    "smallint": f"{DJANGO}SmallIntegerField",
    "integer": f"{DJANGO}IntegerField",
    "bigint": f"{DJANGO}BigIntegerField",
    "double precision": f"{DJANGO}FloatField",
    "boolean": f"{DJANGO}BooleanField",
    "text": f"{DJANGO}TextField",
    "character varying": f"{DJANGO}CharField",
    "date": f"{DJANGO}DateField",
    "time without time zone": f"{DJANGO}TimeField",
    "timestamp with time zone": f"{DJANGO}DateTimeField",
    "interval": f"{DJANGO}DurationField",
    "uuid": f"{DJANGO}UUIDField",
    "bytea": f"{DJANGO}BinaryField",
    "jsonb": f"{DJANGO}JSONField",
    "inet": f"{DJANGO}GenericIPAddressField",
    "int4range": f"{POSTGRES}fields.IntegerRangeField",
    "int8range": f"{POSTGRES}fields.BigIntegerRangeField",
    "numrange": f"{POSTGRES}fields.DecimalRangeField",
    "daterange": f"{POSTGRES}fields.DateRangeField",
    "tstzrange": f"{POSTGRES}fields.DateTimeRangeField",
    "tsvector": f"{POSTGRES}search.SearchVectorField",
    "public.hstore": f"{POSTGRES}fields.HStoreField",
}
"""The types that fields of Django's have exactly."""
KINDS = (
    (re.compile(r"real"), "FloatField"),
    (re.compile(r"numeric.*"), "DecimalField"),
    (re.compile(r"json"), "JSONField"),
    (re.compile(r"timestamp.* without time zone"), "TimestampField"),
    (re.compile(r"timestamp.* with time zone"), "DateTimeField"),
    (re.compile(r"time\b.*"), "TimeField"),
    (re.compile(r"interval.*"), "DurationField"),
    (re.compile(r"oid"), "BigIntegerField"),
)
"""Other types of PostgreSQL's, and the fields whose values they have."""
LAST = (
    *("choices", "null", "blank", "editable", "default", "db_default", "db_column", "db_comment"),
)
"""The keywords after all others."""
LENGTH = re.compile(r"(?:character|character varying)\((\d+)\)")
PRECISION = re.compile(r"numeric\((\d+),(\d+)\)")
COMPUTED = re.compile(r"\(*(?:CURRENT_|LOCALTIME|SESSION_USER|[\w.\"]+\()")
"""The start of a default that calls something: no form can show its value beforehand."""
INTEGERS = {"smallint": "Small", "integer": "", "bigint": "Big"}


@dataclass
class FieldSource:
    """A field as source.

    Attributes:
        path: the import path of its class.
        arguments: without keyword, in their order.
        keywords: in their order.
        model: the class that a relation refers to, or ``label.Class`` of core's; else "".
    """

    path: str
    arguments: list[Code] = field(default_factory=list)
    keywords: dict[str, Code] = field(default_factory=dict)
    model: str = ""

    @property
    def class_name(self) -> str:
        return self.path.rpartition(".")[2]

    def referring_to(self, target: Code) -> FieldSource:
        """Return the field with another target; of a relation it is the last argument but one."""
        arguments = [*self.arguments[:-2], target, self.arguments[-1]]
        return FieldSource(self.path, arguments, self.keywords, self.model)

    def code(self, imports: Imports) -> Group:
        """Return the call of its class, which it imports."""
        keywords = self.keywords
        first = [item for item in keywords.items() if item[0] not in LAST]
        last = [(name, keywords[name]) for name in LAST if name in keywords]
        items = (*(("", item) for item in self.arguments), *first, *last)
        return Group(f"{imports.use(self.path)}(", ")", items)


class ColumnFields:
    """The fields for the columns of a schema.

    Arguments:
        enums: the choices of its enum types.
    """

    def __init__(self, schema: Schema, imports: Imports, enums: EnumChoices) -> None:
        self.types = schema.types
        self.imports = imports
        self.enums = enums

    def of_type(self, kind: str, *, is_text_key: bool = False) -> FieldSource:
        """Return a field of exactly this type, as ``format_type`` spells it.

        Arguments:
            is_text_key: whether Django would make another index for text, for patterns.
        """
        if kind.endswith("[]"):
            return self._array(kind.removesuffix("[]"))
        if kind in self.types and kind not in EXACT:
            return self._named(self.types[kind])
        length, precision = LENGTH.fullmatch(kind), PRECISION.fullmatch(kind)
        is_typed = is_text_key or kind.startswith("character(")
        if (kind in EXACT or length) and not (is_typed and kind.startswith(("text", "character"))):
            found = FieldSource(EXACT.get(kind, f"{DJANGO}CharField"))
        elif precision and int(precision[1]) >= int(precision[2]):
            found = FieldSource(f"{DJANGO}DecimalField")
            found.keywords = {"max_digits": precision[1], "decimal_places": precision[2]}
        else:
            name = next((name for sign, name in KINDS if sign.fullmatch(kind)), "CharField")
            found = FieldSource(f"{TYPED}Typed{name}", [Text(kind)])
        if length:
            found.keywords["max_length"] = length[1]
        return found

    def class_of(self, kind: str) -> str:
        """Return the name of the class of a plain field of this type, "" for other types."""
        return "" if kind in self.types or kind.endswith("[]") else self.of_type(kind).class_name

    def _named(self, kind: NamedType) -> FieldSource:
        """Return the field of a type that is not PostgreSQL's own."""
        if kind.kind != "d":
            found = FieldSource(f"{TYPED}TypedCharField", [Text(kind.name)])
            if kind.kind == "e":
                found.keywords["choices"] = self.enums.use(kind.name)
            return found
        base = self.of_type(kind.base)
        if base.class_name.endswith("ArrayField"):
            base.keywords["database_type"] = Text(kind.name)
            return FieldSource(f"{TYPED}TypedArrayField", base.arguments, base.keywords)
        name = base.class_name.removeprefix("Typed").replace("TextField", "CharField")
        is_known = base.path.startswith((DJANGO, TYPED))
        name = f"Typed{name if is_known else 'CharField'}"
        return FieldSource(f"{TYPED}{name}", [Text(kind.name)], base.keywords)

    def _array(self, element: str) -> FieldSource:
        """Return the field of an array; the class depends on whether psycopg knows the type."""
        base = self.of_type(element)
        plain = re.sub(r"\(.*\)", "", element)
        known = plain not in self.types
        path = f"{POSTGRES}fields.ArrayField" if known else f"{TYPED}TypedArrayField"
        return FieldSource(path, [base.code(self.imports)])

    def of_column(self, column: Column, *, is_key: bool) -> FieldSource:
        """Return the field of a column without its default and constraints.

        Arguments:
            is_key: whether the column is the whole primary key.
        """
        if column.identity and column.type in INTEGERS:
            found = self._counter(column, is_key=is_key)
        else:
            found = self.of_type(column.type, is_text_key=is_key)
        if is_key:
            found.keywords["primary_key"] = "True"
        if column.collation:
            found.keywords["db_collation"] = Text(column.collation)
        return found

    def _counter(self, column: Column, *, is_key: bool) -> FieldSource:
        size, always = INTEGERS[column.type], column.identity == "always"
        if is_key and not always and not column.sequence:
            return FieldSource(f"{DJANGO}{size}AutoField")
        name = f"Identity{size}AutoField" if is_key else f"Counter{size}IntegerField"
        found = FieldSource(f"{TYPED}{name}")
        if always:
            found.keywords["always"] = "True"
        if column.sequence:
            found.keywords["sequence"] = Text(column.sequence)
        return found


def add_common(
    found: FieldSource,
    column: Column,
    values: str,
    as_sql: Callable[[str], Code],
    imports: Imports,
) -> None:
    """Add null, default and comment, and what lets forms leave the default to the database.

    Arguments:
        values: the class of fields that have its values, which a relation is not.
        as_sql: returns an expression as SQL, and imports what that needs.
        imports: of the module that is being written.
    """
    if not column.not_null and "primary_key" not in found.keywords:
        found.keywords["null"] = found.keywords["blank"] = "True"
    if column.default is not None:
        value = default_value(column.default, values, imports)
        found.keywords["db_default"] = as_sql(column.default) if value is None else value
        if COMPUTED.match(column.default):
            found.keywords["editable"] = "False"
        elif value is not None and not is_empty(column.default):
            # For forms, which know nothing of db_default.
            found.keywords["default"] = value
        if column.not_null and is_empty(column.default):
            found.keywords["blank"] = "True"
            if found.class_name.endswith(("JSONField", "ArrayField")):
                is_list = found.class_name.endswith("ArrayField") or "[" in column.default
                found.keywords["default"] = "list" if is_list else "dict"
    if column.comment:
        found.keywords["db_comment"] = Text(column.comment)


def number_choices(values: Sequence[str]) -> Group:
    """Return a list of choices for numbers."""
    return list_of([tuple_of([value, Text(value)]) for value in values])
