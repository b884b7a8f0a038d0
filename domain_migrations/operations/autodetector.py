"""The part of ``makemigrations`` that recognizes a foreign key that becomes a reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.migrations.state import ModelState
from django.db.models import Field, ForeignKey

from ..fields import DomainReference
from .convert_reference import ConvertField, ConvertToForeignKey, ConvertToReference

if TYPE_CHECKING:
    from django.db.migrations.autodetector import MigrationAutodetector

    class Base(MigrationAutodetector):
        """What Django's autodetector has and its types lack."""

        kept_model_keys: set[tuple[str, str]]

        def _prepare_field_lists(self) -> None: ...
        def _get_dependencies_for_foreign_key(self, *arguments: Any) -> list[Any]: ...
else:
    Base = object  # Mixed into the autodetector in use, which a package may have replaced.


class Conversion(NamedTuple):
    """A field that is replaced by one of another kind and name, but of the same column."""

    old_name: str
    new_name: str
    new: Field[Any, Any]


class ReferenceDetection(Base):
    """Detects conversions before Django compares fields by their names.

    Django would write ``AddField`` and ``RemoveField``, which fails because the column exists,
    and would lose its data. A conversion is applied to the old state as well, so that Django
    compares what is left.
    """

    def _prepare_field_lists(self) -> None:
        super()._prepare_field_lists()
        found = False
        for app_label, model_name in sorted(self.kept_model_keys):
            old_name = self.renamed_models.get((app_label, model_name), model_name)
            old = self.from_state.models[app_label, old_name]
            new = self.to_state.models[app_label, model_name]
            for conversion in conversions(old, new):
                found = True
                dependencies = []
                if isinstance(conversion.new, ForeignKey):
                    dependencies = self._get_dependencies_for_foreign_key(
                        app_label, model_name, conversion.new, self.to_state
                    )
                self.add_operation(app_label, _operation(new.name, conversion), dependencies)
                _operation(old_name, conversion).state_forwards(app_label, self.from_state)
        if found:
            super()._prepare_field_lists()


def conversions(old: ModelState, new: ModelState) -> Iterator[Conversion]:
    """Yield the fields of a model that one of another kind with the same column replaces."""
    removed = {_column(name, old.fields[name]): name for name in old.fields.keys() - new.fields}
    for name in sorted(new.fields.keys() - old.fields):
        old_name = removed.get(_column(name, new.fields[name]))
        if old_name is None:
            continue
        before, after = old.fields[old_name], new.fields[name].clone()
        to_reference = isinstance(before, ForeignKey) and isinstance(after, DomainReference)
        if to_reference or (isinstance(before, DomainReference) and isinstance(after, ForeignKey)):
            after.null = before.null  # Django asks what to do about rows without a value.
            yield Conversion(old_name, name, after)


def _column(name: str, field: Field[Any, Any]) -> str | None:
    field = field.clone()
    field.set_attributes_from_name(name)
    return field.get_attname_column()[1]


def _operation(model_name: str, conversion: Conversion) -> ConvertField:
    old_name, new_name, field = conversion
    kind: Any = ConvertToReference if isinstance(field, DomainReference) else ConvertToForeignKey
    operation: ConvertField = kind(model_name, old_name, field)
    if operation.new_name != new_name:
        operation = kind(model_name, old_name, field, new_name)
    return operation
