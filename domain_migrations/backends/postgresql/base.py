"""The database wrapper, and a mixin that adds qualified names to other PostgreSQL backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from django.db.backends.utils import names_digest
from django.db.models.signals import class_prepared

from .creation import TemplateCreationMixin
from .introspection import QualifiedIntrospectionMixin
from .names import MAX_NAME_BYTES, format_table_name, parse_table_name
from .operations import QualifiedOperationsMixin
from .schema import QualifiedSchemaEditorMixin

if TYPE_CHECKING:
    from django.db.models import Model

    Wrapper = base.DatabaseWrapper
else:
    Wrapper = object

MIXINS = {
    "creation_class": TemplateCreationMixin,
    "introspection_class": QualifiedIntrospectionMixin,
    "ops_class": QualifiedOperationsMixin,
    "SchemaEditorClass": QualifiedSchemaEditorMixin,
}

READABLE_STYLES = {"DateStyle": "ISO", "IntervalStyle": "postgres"}


class QualifiedNamesMixin(Wrapper):
    """Adds qualified names to a wrapper that is derived from Django's PostgreSQL backend.

    ::

        from django.contrib.gis.db.backends.postgis import base

        class DatabaseWrapper(QualifiedNamesMixin, base.DatabaseWrapper):
            pass

    The parts of the other backend (creation, introspection, operations, schema editor) are kept
    and extended by the mixins of this package, unless they already include them.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for attribute, mixin in MIXINS.items():
            part = getattr(cls, attribute)
            if not issubclass(part, mixin):
                namespace = {"__module__": cls.__module__}
                setattr(cls, attribute, type(part.__name__, (mixin, part), namespace))

    def init_connection_state(self) -> None:
        """Have the server write dates and intervals in the styles that psycopg can read.

        The order of day and month, by which the server reads dates, stays.
        """
        super().init_connection_state()
        for name, readable in READABLE_STYLES.items():
            style = self.connection.info.parameter_status(name) or readable
            if not style.startswith(readable):
                with self.connection.cursor() as cursor:
                    cursor.execute(f"SET {name} = '{readable}'")
                if not self.get_autocommit():
                    self.connection.commit()


class DatabaseWrapper(QualifiedNamesMixin, base.DatabaseWrapper):
    """Django's PostgreSQL backend with qualified names."""


def auto_m2m_table_name(sender: type[Model], **_: Any) -> None:
    """Spell the name of an automatic many-to-many table like that of any other table.

    ``ManyToManyField._get_m2m_db_table`` derives ``inventory"."drugs_tags``. It names the same
    table, but ``--fake-initial`` (``MigrationExecutor.detect_soft_applied``) compares it literally
    with the names that the introspection lists.
    """
    options = sender._meta
    owner: Any = options.auto_created
    if not owner:
        return
    try:
        if '""' in owner._meta.db_table:
            options.db_table = _derived_table(owner, sender) or options.db_table
        if '"' in options.db_table:
            options.db_table = format_table_name(*parse_table_name(options.db_table))
    except ValueError:
        return  # Malformed: a system check reports it once the models are imported.


def _derived_table(owner: Any, through: type[Model]) -> str | None:
    """Mirror ``_get_m2m_db_table`` for an owner with quotes in its names.

    Django shortens the spelling including its quotes: it may split a pair of them, and drops
    those at the end of the schema's name, which then names another schema.
    """
    for field in owner._meta.local_many_to_many:
        if through.__name__ == f"{owner._meta.object_name}_{field.name}" and not field.db_table:
            schema, name = parse_table_name(owner._meta.db_table)
            name = f"{name}_{field.name}"
            if len(name) > MAX_NAME_BYTES:
                name = name[: MAX_NAME_BYTES - 4] + names_digest(name, length=4)
            return format_table_name(schema, name)
    return None


class_prepared.connect(auto_m2m_table_name, dispatch_uid=f"{__name__}.spell_automatic_table")
