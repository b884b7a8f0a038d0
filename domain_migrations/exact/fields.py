"""Fields of exactly one database type.

::

    class Item(models.Model):
        flags = TypedCharField("bit(3)")
        status = TypedCharField('"warehouse"."status"', choices=STATUS_CHOICES)
        created = TypedTimestampField("timestamp without time zone")

A field named ``Typed…`` reads, writes and filters as the field of Django's with the rest of its
name, on a column of another type. ``inspect_domain`` writes them where no field of Django's has
the type of an existing column.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault, Value
from django.db.models.functions.datetime import TimezoneMixin
from django.utils.timezone import is_aware, make_naive
from psycopg.adapt import Transformer
from psycopg.postgres import types
from psycopg.pq import Format

if TYPE_CHECKING:
    BaseField = Field[Any, Any]
else:
    BaseField = object


class TypedMixin(BaseField):
    """A field whose first argument is the type of its column.

    Arguments:
        database_type: as PostgreSQL writes it, with the schema of a type that is not its own.
    """

    def __init__(self, database_type: str, *args: Any, **kwargs: Any) -> None:
        self.database_type = database_type
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, [self.database_type, *args], kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.database_type

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.database_type

    def rel_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.database_type


class TypedCharField(TypedMixin, models.CharField):
    """Text of any type: enum, bit, money, xml, citext, a domain over text …

    Also for the types that have no field of their own: any value is written as its ``str()``.
    """


class TypedSmallIntegerField(TypedMixin, models.SmallIntegerField):
    """A smallint under another name."""


class TypedIntegerField(TypedMixin, models.IntegerField):
    """An integer under another name."""


class TypedBigIntegerField(TypedMixin, models.BigIntegerField):
    """A bigint under another name, or an oid."""


class TypedFloatField(TypedMixin, models.FloatField):
    """A real, or a float under another name."""


class TypedDecimalField(TypedMixin, models.DecimalField):
    """A numeric of any precision."""

    def check(self, **kwargs: Any) -> list[Any]:
        return Field.check(self, **kwargs)


class TypedBooleanField(TypedMixin, models.BooleanField):
    """A boolean under another name."""


class TypedDateField(TypedMixin, models.DateField):
    """A date under another name."""


class TypedTimeField(TypedMixin, models.TimeField):
    """A time of another precision, or with a time zone."""


class TypedDateTimeField(TypedMixin, models.DateTimeField):
    """A timestamp with time zone, of another precision."""


class TypedDurationField(TypedMixin, models.DurationField):
    """An interval of another precision."""


class TypedUUIDField(TypedMixin, models.UUIDField):
    """A UUID under another name."""


class TypedBinaryField(TypedMixin, models.BinaryField):
    """A bytea under another name."""


class TypedGenericIPAddressField(TypedMixin, models.GenericIPAddressField):
    """An inet under another name."""


class TypedJSONField(TypedMixin, models.JSONField):
    """A json, which psycopg parses, or a jsonb under another name."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if self.database_type == "json" or not isinstance(value, str):
            return value
        return super().from_db_value(value, expression, connection)


class TypedForeignKey(TypedMixin, models.ForeignKey):
    """A key whose column has another type than the column that it refers to."""


class TypedOneToOneField(TypedMixin, models.OneToOneField):
    """A unique key whose column has another type than the column that it refers to."""


class TypedArrayField(ArrayField):
    """An array of a type that psycopg does not know, such as an enum, or a domain over an array.

    Arguments:
        database_type: the name of the domain.
    """

    def __init__(
        self, base_field: Any, size: int | None = None, *, database_type: str = "", **kwargs: Any
    ) -> None:
        self.database_type = database_type
        super().__init__(base_field, size, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.database_type:
            kwargs["database_type"] = self.database_type
        return name, path, args, kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.database_type or str(super().db_type(connection))

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.database_type or str(super().cast_db_type(connection))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if isinstance(value, str):
            loader = Transformer().get_loader(types["text"].array_oid, Format.TEXT)
            value = _converted(loader.load(value.encode()), self.base_field.to_python)
        return value

    _from_db_value = from_db_value


def _converted(items: Any, convert: Any) -> Any:
    if isinstance(items, list):
        return [_converted(item, convert) for item in items]
    return None if items is None else convert(items)


class NaiveDateTimeField(forms.DateTimeField):
    """A form field that leaves a date and time as it is entered."""

    def prepare_value(self, value: Any) -> Any:
        return value

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return make_naive(found) if found is not None and is_aware(found) else found


class TypedTimestampField(TypedMixin, models.DateTimeField):
    """A timestamp without time zone; its values have none either.

    A value with a time zone is converted to that of the connection, as PostgreSQL does.
    """

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime.datetime):
            return value
        if isinstance(value, datetime.date):
            return datetime.datetime(value.year, value.month, value.day)
        return super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(Field.get_prep_value(self, value))

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        value = value if prepared else self.get_prep_value(value)
        if isinstance(value, datetime.datetime) and is_aware(value):
            value = make_naive(value, connection.timezone or datetime.UTC)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": NaiveDateTimeField, **kwargs})


class _WithoutTimeZone:
    """A transform of values that have no time zone."""

    def get_tzname(self) -> None:
        return None


for _name, _lookup in models.DateTimeField.get_class_lookups().items():
    if issubclass(_lookup, TimezoneMixin):
        TypedTimestampField.register_lookup(
            type(_lookup.__name__, (_WithoutTimeZone, _lookup), {}), _name
        )


class IdentityMixin(BaseField):
    """A column that counts: an identity, or a serial, in another way than Django's keys do.

    Arguments:
        always: whether PostgreSQL refuses other values.
        sequence: how its sequence differs from a plain one, as ``verify_domain`` says it.
    """

    def __init__(self, *args: Any, always: bool = False, sequence: str = "", **kwargs: Any) -> None:
        self.always, self.sequence = always, sequence
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.always:
            kwargs["always"] = True
        if self.sequence:
            kwargs["sequence"] = self.sequence
        return name, path, args, kwargs

    def db_type_suffix(self, connection: BaseDatabaseWrapper) -> str:
        return f"GENERATED {'ALWAYS' if self.always else 'BY DEFAULT'} AS IDENTITY"


class IdentitySmallAutoField(IdentityMixin, models.SmallAutoField):  # type: ignore[misc]
    """A primary key of type smallint."""


class IdentityAutoField(IdentityMixin, models.AutoField):  # type: ignore[misc]
    """A primary key of type integer."""


class IdentityBigAutoField(IdentityMixin, models.BigAutoField):  # type: ignore[misc]
    """A primary key of type bigint."""


class CounterMixin(IdentityMixin):
    """A column that counts without being the primary key."""

    db_returning = True
    # What Django asks of generated columns, which are not written and come back: here it applies
    # to those that are always generated.
    db_persist = True
    expression = Value(None)
    referenced_fields: frozenset[Any] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["blank"] = True
        super().__init__(*args, **kwargs)
        self.output_field = self

    @property
    def generated(self) -> bool:  # type: ignore[override]
        """Whether Django is not to write it; Django writes no part of a key but once."""
        key = self.model._meta.pk if hasattr(self, "model") else None
        return self.always and self.name not in getattr(key, "field_names", ())

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["blank"]
        return name, path, args, kwargs

    def validate(self, value: Any, model_instance: Model | None) -> None:
        """Accept no value, which PostgreSQL replaces by the next one."""

    def pre_save(self, model_instance: Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        return DatabaseDefault(Value(None)) if add and value is None else value

    def formfield(self, **kwargs: Any) -> Any:
        return None


class CounterSmallIntegerField(CounterMixin, models.SmallIntegerField):
    """A counter of type smallint."""


class CounterIntegerField(CounterMixin, models.IntegerField):
    """A counter of type integer."""


class CounterBigIntegerField(CounterMixin, models.BigIntegerField):
    """A counter of type bigint."""


class ExistingGeneratedField(models.GeneratedField):
    """A generated column that is NOT NULL, or virtual also where Django has no virtual ones.

    Arguments:
        not_null: whether the column is NOT NULL.
    """

    def __init__(self, *, not_null: bool = False, **kwargs: Any) -> None:
        self.not_null = not_null
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.not_null:
            kwargs["not_null"] = True
        return name, path, args, kwargs

    def _check_persistence(self, databases: Any) -> list[Any]:
        return []

    def _check_supported(self, databases: Any) -> list[Any]:
        return []
