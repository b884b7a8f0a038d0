"""Operations that move the table of a model to another domain: one in each domain's migration."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import get_references
from django.db.models import Field

from ..domains import QualifiedName, get_domain_for
from ..engine.runner.transfer.table_transfer import TableTransfer, TransferRecord
from ..engine.sources.files import MigrationKey
from .base import exported


class TransferOperation(Operation, ABC):
    """The common part of both operations, which are the halves of a pair.

    Both run in one transaction, whichever domain is migrated, and the table moves with the first:
    forwards with ``ReceiveTable``, backwards with ``TransferTable``.

    Attributes:
        name: the model's.
        pair: the other half's migration, as ``app.name``.
        tables: each table before → its name afterwards, as ``db_table`` has them.
        compat_view_until: the last day of views under the old names, for older code; None for no
            views.
        record: what the transfer has left that its undoing needs to know, once it has run.
    """

    atomic = True
    moves_forwards: ClassVar[bool]
    name: str
    pair: str
    tables: Mapping[str, str]
    compat_view_until: datetime.date | None
    record: TransferRecord | None = None

    @abstractmethod
    def transfer(self, app_label: str) -> TableTransfer:
        """Return what moves where, forwards."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if self.moves_forwards or schema_editor.collect_sql:
            self.record = self.transfer(app_label).run(schema_editor)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if not self.moves_forwards or schema_editor.collect_sql:
            self.transfer(app_label).reversed().run(schema_editor, self.record)

    def references_model(self, name: str, app_label: str) -> bool:
        return True  # Nothing may be moved past it, which no squash can see.

    def _transfer(self, source: str, target: str) -> TableTransfer:
        return TableTransfer(
            source=get_domain_for(source),
            target=get_domain_for(target),
            old_app=source,
            new_app=target,
            model=self.name,
            tables={
                QualifiedName.of(old): QualifiedName.of(new) for old, new in self.tables.items()
            },
            views_until=self.compat_view_until,
        )

    @property
    def _partner(self) -> MigrationKey:
        app, _, name = self.pair.partition(".")
        return MigrationKey(app, name)

    def _arguments(self) -> dict[str, Any]:
        until = self.compat_view_until
        arguments = {"pair": self.pair, "tables": dict(self.tables)}
        return arguments if until is None else {**arguments, "compat_view_until": until}


@exported
class TransferTable(TransferOperation):
    """Gives a model's table away to another domain; alone in its migration.

    In the state, every relation to the model leads to the other domain's model afterwards.

    Arguments:
        name: the model's name, which stays.
        pair: the migration with ``ReceiveTable``, as ``"app.name"``.
        tables: each table → its new name, the automatic many-to-many ones included.
        compat_view_until: the last day of views under the old names; no views unless given.
    """

    category = OperationCategory.REMOVAL
    moves_forwards = False

    def __init__(
        self,
        name: str,
        pair: str,
        tables: Mapping[str, str],
        compat_view_until: datetime.date | None = None,
    ) -> None:
        self.name, self.pair, self.tables = name, pair, tables
        self.compat_view_until = compat_view_until

    def deconstruct(self) -> Any:
        return type(self).__name__, [], {"name": self.name, **self._arguments()}

    def transfer(self, app_label: str) -> TableTransfer:
        return self._transfer(app_label, self._partner.app)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        old = app_label, self.name.lower()
        new = self._partner.app, self.name.lower()
        for key in sorted(_lead_to(state, old, f"{new[0]}.{self.name}")):
            state.reload_model(*key, delay=True)
        state.remove_model(*old)

    def describe(self) -> str:
        return f"Transfer the table of {self.name} to {self._partner.app}"

    @property
    def migration_name_fragment(self) -> str:
        return f"transfer_{self.name.lower()}"


@exported
class ReceiveTable(TransferOperation):
    """Gets a model's table from another domain; alone in its migration.

    In the state, it creates the model; there is no other model of it until then.

    Arguments:
        name, pair, tables, compat_view_until: as for ``TransferTable``, which ``pair`` names.
        fields, options, bases, managers: the model's, as for ``CreateModel``.
    """

    category = OperationCategory.ADDITION
    serialization_expand_args = list(CreateModel.serialization_expand_args)
    moves_forwards = True

    def __init__(
        self,
        name: str,
        pair: str,
        tables: Mapping[str, str],
        fields: Sequence[tuple[str, Field[Any, Any]]],
        options: Mapping[str, Any] | None = None,
        bases: Sequence[Any] | None = None,
        managers: Sequence[tuple[str, Any]] | None = None,
        compat_view_until: datetime.date | None = None,
    ) -> None:
        self.name, self.pair, self.tables = name, pair, tables
        self.compat_view_until = compat_view_until
        self.created = CreateModel(name, list(fields), dict(options or {}), bases, managers)

    def deconstruct(self) -> Any:
        model = dict(self.created.deconstruct()[2])
        return type(self).__name__, [], {**model, **self._arguments()}

    def transfer(self, app_label: str) -> TableTransfer:
        return self._transfer(self._partner.app, app_label)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        self.created.state_forwards(app_label, state)

    def describe(self) -> str:
        return f"Receive the table of {self.name} from {self._partner.app}"

    @property
    def migration_name_fragment(self) -> str:
        return f"receive_{self.name.lower()}"


def _lead_to(state: ProjectState, old: tuple[str, str], new: str) -> set[tuple[str, str]]:
    """Let every relation to a model lead to another one; return the models that were changed.

    Mirrors ``ProjectState.rename_model``.
    """
    changed = set()
    for model, name, field, reference in get_references(state, old):
        if (model.app_label, model.name_lower) == old:
            continue
        found: Any = field.clone()
        if reference.to:
            found.remote_field.model = new
        if reference.through:
            found.remote_field.through = new
        model.fields[name] = found
        changed.add((model.app_label, model.name_lower))
    return changed | set(_with_new_base(state, old, new))


def _with_new_base(state: ProjectState, old: tuple[str, str], new: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, model in state.models.items():
        bases = tuple(new if _is_model(model, base, old) else base for base in model.bases)
        if bases != model.bases:
            model.bases = bases
            found.append(key)
    return found


def _is_model(model: ModelState, base: Any, key: tuple[str, str]) -> bool:
    if not isinstance(base, str):
        return False
    label, _, name = base.rpartition(".")
    return (label or model.app_label, name.lower()) == key
