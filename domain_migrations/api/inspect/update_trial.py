"""The trial of an update: its migrations are run in a scratch database, forwards and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.alterations.changes import Change
from ...engine.alterations.definition import SchemaDefinition
from ...engine.alterations.renames import Rename, follow_renames
from ...engine.catalog.compat_views import compat_view_names
from ...engine.catalog.fingerprint import CatalogObject, compare, fingerprint, to_text
from ...engine.sessions.connection import execute
from ...engine.sessions.database_errors import first_line
from .grant_statements import privilege_changes
from .migration_file import BEGIN
from .schema_grants import Privilege, comparable_privileges, read_privileges
from .update_part import UpdatePart, schema_before_removals, schema_with_labels, statements


@dataclass(frozen=True)
class LiveSchema:
    """What the migrations should make.

    Attributes:
        objects: its catalog, as the last migration's file has it.
        privileges: what roles may do that the domain does not grant itself.
    """

    definition: SchemaDefinition
    objects: Sequence[CatalogObject]
    privileges: Sequence[Privilege]


@dataclass
class UpdateTrial:
    """The migrations, in their order.

    Attributes:
        parts: the statements of each.
        catalogs: the catalog after each.
        found: how each object differs from what the migrations make.
        problems: why the statements do not make the same schema, or not the former one again.
    """

    parts: list[UpdatePart] = field(default_factory=list)
    catalogs: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def renames(self) -> list[Rename]:
        return [rename for part in self.parts for rename in part.renames]

    @property
    def changes(self) -> list[Change]:
        return [change for part in self.parts for change in part.changes]


def try_update(
    scratch: BaseDatabaseWrapper,
    domain: Domain,
    live: LiveSchema,
    *,
    past: SchemaDefinition,
    read: Callable[[], SchemaDefinition],
) -> UpdateTrial:
    """Return what turns the schema of a scratch database into the live one, proven there.

    Arguments:
        past, read: the schema there, and how to read it again.
    """
    return _Trial(scratch, domain, live).run(past, read)


class _Trial:
    def __init__(self, scratch: BaseDatabaseWrapper, domain: Domain, live: LiveSchema) -> None:
        self.scratch, self.live, self.schema = scratch, live, domain.schema
        self.own = [table.name for table in domain.engine_tables]
        self.own += compat_view_names(scratch, domain.schema)
        self.trial = UpdateTrial()
        self.privileges: list[Sequence[Privilege]] = []
        """Before each part."""

    def run(self, past: SchemaDefinition, read: Callable[[], SchemaDefinition]) -> UpdateTrial:
        # A table that is created again gives other names to its NOT NULL constraints.
        before = self._text()
        self._find_privileges()
        renamed, renames = follow_renames(self.scratch, past, self.live.definition, read)
        self.trial.found += [rename.sentence for rename in renames]
        for part in self._schemas(renamed):
            self._add(part)
        if renames and not self.trial.parts:
            self._add(UpdatePart())
        if renames:
            self.trial.parts[0] = replace(self.trial.parts[0], renames=renames)
        self._grant()
        if not self.trial.parts:
            return self.trial
        self.trial.catalogs[-1] = to_text(self.live.objects)
        wanted = self.live.definition.as_fingerprint()
        self.trial.problems += compare(wanted, self._text(include_names=True))
        self._revert()
        problems = compare(before, self._text())
        self.trial.problems += (f"after it is reverted: {item}" for item in problems)
        return self.trial

    def _schemas(self, past: SchemaDefinition) -> Iterable[UpdatePart]:
        """Yield the parts; those before one have been run when it is asked for."""
        live = self.live.definition
        if (labelled := schema_with_labels(past, live)) is not None:
            yield UpdatePart.between(past, labelled)
            past = labelled
        middle = schema_before_removals(past, live)
        if middle is not None:
            parts = [UpdatePart.between(past, middle), UpdatePart.between(middle, live)]
            if not parts[0].stage() and self._fit(parts):
                yield from parts
                return
        if (part := UpdatePart.between(past, live)).changes:
            yield part

    def _fit(self, parts: Iterable[UpdatePart]) -> bool:
        """Return whether parts make the live schema, and the former one again."""
        wanted, before = self.live.definition.as_fingerprint(), self._text()
        parts = list(parts)
        with transaction.atomic(using=self.scratch.alias):
            problems = [item for part in parts for item in self._run(part.changes)]
            problems += compare(wanted, self._text(include_names=True)) if not problems else []
            for part in reversed(parts):
                problems += self._run(part.reverse) if not problems else []
            problems += compare(before, self._text()) if not problems else []
            transaction.set_rollback(True, using=self.scratch.alias)
        return not problems

    def _add(self, part: UpdatePart) -> None:
        self.trial.parts.append(part)
        self.trial.found += [
            change.sentence for change in part.changes if change.sentence not in self.trial.found
        ]
        self.privileges.append(self._privileges())
        self.trial.problems += self._run(part.changes)
        self.trial.catalogs.append(self._text())

    def _find_privileges(self) -> None:
        old, new = set(self._privileges()), set(self.live.privileges)
        self.first = self._privileges()
        self.trial.found += [
            f"privileges: {'added' if item in new else 'missing'}: {item.statement}"
            for item in sorted(old ^ new)
        ]

    def _grant(self) -> None:
        """Add the privileges of the live schema to the last part."""
        found = self._privileges()
        if not (grants := privilege_changes(found, self.live.privileges)):
            return
        if not self.trial.parts:
            self._add(UpdatePart())
        self.trial.problems += self._run_statements(grants)
        self.trial.parts[-1] = replace(self.trial.parts[-1], grants=grants)
        self.trial.problems += [
            f"privileges: {item.statement} cannot be granted or revoked"
            for item in sorted(set(self._privileges()) ^ set(self.live.privileges))
        ]

    def _revert(self) -> None:
        parts = self.trial.parts
        for i, part in reversed([*enumerate(parts)]):
            self.trial.problems += (f"reverted: {each}" for each in self._run(part.reverse))
            for rename in reversed(part.renames):
                execute(self.scratch, rename.backwards)
            before = self.privileges[i] if i else self.first
            revokes = privilege_changes(self._privileges(), before)
            self.trial.problems += self._run_statements(revokes)
            parts[i] = replace(part, revokes=revokes)

    def _run(self, changes: Sequence[Change]) -> list[str]:
        problems = [
            f"{change.sentence}: no statement is known for it"
            for change in changes
            if not change.steps
        ]
        return problems + self._run_statements(statements(changes))

    def _run_statements(self, texts: Iterable[str]) -> list[str]:
        try:
            with transaction.atomic(using=self.scratch.alias):
                for text in (*BEGIN.forwards, *texts):
                    execute(self.scratch, text)
        except Error as exc:
            return [f"the statements fail: {first_line(exc)}"]
        return []

    def _text(self, *, include_names: bool = False) -> str:
        return fingerprint(self.scratch, self.schema, exclude=self.own, include_names=include_names)

    def _privileges(self) -> tuple[Privilege, ...]:
        found = read_privileges(self.scratch, self.schema, exclude=self.own)
        return tuple(comparable_privileges(self.scratch, found))
