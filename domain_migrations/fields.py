"""A field that stores the id of an object in another domain.

::

    class Inspection(models.Model):
        employee_id = DomainReference("hr.Employee")

In the database it is a plain column: there are no constraints, no joins and no migrations that
depend on the other domain, which need not be installed. ``inspection.employee`` is the object,
or None if it does not exist; :func:`domain_migrations.references.resolve` fetches the objects of
many rows with one query.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.core.exceptions import AppRegistryNotReady
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

if TYPE_CHECKING:
    BaseField = Field[Any, Any]
else:
    BaseField = Field  # Not subscriptable, unless the project patches it so.

SUFFIX = "_id"
TYPE_ARGUMENTS = ("max_length", "max_digits", "decimal_places", "db_collation")
"""The arguments of a key that determine its column's type."""
FOREIGN_KEY_ARGUMENTS = (
    "db_constraint",
    "limit_choices_to",
    "on_delete",
    "parent_link",
    "related_name",
    "related_query_name",
    "to",
    "to_field",
)
"""The arguments of a foreign key that an ordinary column has no use for."""
COLUMN_FIELDS: dict[str, type[Field[Any, Any]]] = {
    "AutoField": models.IntegerField,
    "BigAutoField": models.BigIntegerField,
    "SmallAutoField": models.SmallIntegerField,
    "PositiveIntegerField": models.IntegerField,
    "PositiveBigIntegerField": models.BigIntegerField,
    "PositiveSmallIntegerField": models.SmallIntegerField,
}
"""The fields for columns that refer to automatic or positive keys, without their extras."""


class ReferenceDescriptor:
    """The attribute that returns the object for an id, fetched once and then cached."""

    def __init__(self, field: DomainReference) -> None:
        self.field = field

    def __get__(self, instance: Model | None, owner: type[Model] | None = None) -> Any:
        if instance is None:
            return self
        pk = self.field.get_id(instance)
        known = instance._state.fields_cache.get(self.field.accessor_name)
        if known is None or known[0] != pk:
            found = self.field.fetch([pk], using=instance._state.db)
            self.field.cache_object(instance, found.get(pk))
        return instance._state.fields_cache[self.field.accessor_name][1]

    def __set__(self, instance: Model, value: Model | None) -> None:
        setattr(instance, self.field.attname, None if value is None else value.pk)
        self.field.cache_object(instance, value)


class DomainReference(BaseField):
    """The id of an object in another domain, which may not exist.

    Arguments:
        to: the other model, as ``"hr.Employee"``; never the class, which would be an import.
        id_field: a field of the type of the other model's id. By default the type of its primary
            key if the other domain is installed, else ``BigIntegerField()``. Migrations always
            state it, so that they create the same column with and without the other domain.

    The attribute contains the id. The object is available under the same name without ``_id``,
    or with the suffix ``_object``. There is no index without ``db_index=True``.
    """

    description = "The id of an object in another domain"
    empty_strings_allowed = False

    def __init__(
        self, to: str, *args: Any, id_field: Field[Any, Any] | None = None, **kwargs: Any
    ) -> None:
        self.to = to
        self._id_field = id_field
        super().__init__(*args, **kwargs)

    @property
    def accessor_name(self) -> str:
        """The name of the attribute that returns the object."""
        return (
            self.name.removesuffix(SUFFIX) if self.name.endswith(SUFFIX) else f"{self.name}_object"
        )

    @property
    def id_field(self) -> Field[Any, Any]:
        """A field of the column's type."""
        if self._id_field is not None:
            return self._id_field
        target = self.target()
        return models.BigIntegerField() if target is None else plain_field(target)

    def target(self, apps: Apps | None = None) -> type[Model] | None:
        """Return the other model; None if its domain is not installed."""
        if apps is None:
            apps = getattr(getattr(self, "model", None), "_meta", None) and self.model._meta.apps
        try:
            return (apps or global_apps).get_model(self.to, require_ready=False)
        except (LookupError, ValueError, AttributeError, AppRegistryNotReady):
            return None

    def fetch(self, pks: Iterable[Any], *, using: str | None = None) -> dict[Any, Model]:
        """Return the existing objects with these ids, by id, with one query."""
        target, wanted = self.target(), {pk for pk in pks if pk is not None}
        if target is None or not wanted:
            return {}
        manager = target._base_manager
        return (manager.db_manager(using) if using else manager).in_bulk(wanted)

    def cache_object(self, instance: Model, found: Model | None) -> None:
        """Cache the object for the current id of the instance."""
        cache: dict[str, Any] = instance._state.fields_cache
        cache[self.accessor_name] = (self.get_id(instance), found)

    def get_id(self, instance: Model) -> Any:
        """Return the id of the instance, converted to the type of the other model's key."""
        return self.to_python(getattr(instance, self.attname))

    def contribute_to_class(self, cls: type[Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only=private_only)
        if not hasattr(cls, self.accessor_name):
            setattr(cls, self.accessor_name, ReferenceDescriptor(self))

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, [self.to, *args], {**kwargs, "id_field": self.id_field}

    def get_internal_type(self) -> str:
        return self.id_field.get_internal_type()

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return self.id_field.db_type(connection)

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return self.id_field.cast_db_type(connection)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        return self.id_field.db_parameters(connection)

    def to_python(self, value: Any) -> Any:
        return self.id_field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.id_field.get_prep_value(_id_of(value))

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        return self.id_field.get_db_prep_value(_id_of(value), connection, prepared)

    @property
    def validators(self) -> list[Any]:
        return [*super().validators, *self.id_field.validators]

    def formfield(self, **kwargs: Any) -> Any:
        model_field = self.id_field
        form_field: Any = model_field.formfield()
        defaults: dict[str, Any] = {"form_class": type(form_field)}
        if model_field.max_length is not None:
            defaults["max_length"] = model_field.max_length
        if self.null and hasattr(form_field, "empty_value"):
            defaults["empty_value"] = None
        return super().formfield(**{**defaults, **kwargs})


def plain_field(target: type[Model]) -> Field[Any, Any]:
    """Return a field of the type of a model's primary key, of one of Django's own classes.

    A field class of the other domain would have to be imported by migrations.
    """
    key: Any = target._meta.pk
    while key.is_relation:
        key = key.target_field
    return plain_column_field(key)


def plain_column_field(key: Field[Any, Any]) -> Field[Any, Any]:
    """Return a field of a key's type; the key itself may not be a relation."""
    kind = next(
        base for base in type(key).__mro__ if base.__module__.startswith("django.db.models.fields")
    )
    kind = COLUMN_FIELDS.get(kind.__name__, kind)
    values = {name: getattr(key, name, None) for name in TYPE_ARGUMENTS}
    return kind(**{name: value for name, value in values.items() if value is not None})


def column_arguments(key: Any) -> dict[str, Any]:
    """Return the arguments of a foreign key's field that an ordinary column has too.

    Its index is among them, which a foreign key has by default and a column has not.
    """
    arguments = dict(key.deconstruct()[3])
    for argument in (*FOREIGN_KEY_ARGUMENTS, "db_index"):
        arguments.pop(argument, None)
    if key.unique and not key.primary_key:
        arguments["unique"] = True
    elif key.db_index and not key.primary_key:
        arguments["db_index"] = True
    return arguments


def _id_of(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value
