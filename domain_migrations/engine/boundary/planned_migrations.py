"""The rule on migrations before they run: on their dependencies, and on their operations.

Dependencies are read from the files' syntax trees: importing other domains' migrations is what
makes stock Django slow, and a file may be broken. A computed dependency cannot be read there; the
loader still finds it for the domain that it loads.

Operations are applied to a copy of the models' state, and the models that they changed are
checked. So operations inside others, and those of third parties, are seen by their effects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from operator import is_
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation

from ...domains import Domain, get_domains
from ...exceptions import BoundaryViolation, InvalidConfiguration
from ..sources.divided_source import LARGE
from ..sources.files import MigrationKey, migration_files
from ..sources.former_dependencies import former_dependencies
from ..sources.parsing import FORMER, read_header
from ..sources.transfer_halves import is_paired
from .rule import (
    CORE_DEPENDS,
    RELATION_PHRASES,
    AppOwners,
    Relation,
    app_owners,
    db_table_line,
    depends_hint,
    forbidden_owner,
    is_silenced,
    may_depend_on,
    owner_clause,
    relation_kind,
    table_problem,
)

QUOTED = re.compile(rb"[^'\"]+")


def _is_forbidden_link(attribute: str, user: Domain, used: Domain) -> bool:
    """Return whether a migration may not make one of ``user`` depend on one of ``used``.

    ``run_before`` always names the other migration in the wrong file.
    """
    return user != used and (attribute == "run_before" or not may_depend_on(user, used))


class CrossingLink(NamedTuple):
    """A dependency between migrations that breaks the rule.

    Attributes:
        declared_by: the migration whose file declares it.
        attribute: ``dependencies`` or ``run_before``.
        child, parent: the migration that depends on the other one, and that one.
    """

    declared_by: MigrationKey
    path: Path
    attribute: str
    child: MigrationKey
    parent: MigrationKey
    child_domain: Domain
    parent_domain: Domain

    @property
    def is_former(self) -> bool:
        """Whether a later migration declares that the dependency is over."""
        return self.attribute == "dependencies" and self.parent.app in former_dependencies(
            self.child.app
        )

    @property
    def message(self) -> str:
        """The problem as a sentence, for a check, a plan or a finding."""
        return (
            f"The migration {self.declared_by} makes {self.child} of {self.child_domain.name}"
            f" depend on {self.parent} of {self.parent_domain.name}."
        )

    @property
    def hint(self) -> str:
        """What to do about the dependency."""
        other = self.parent if self.declared_by == self.child else self.child
        remove = f"Remove {tuple(other)!r} from {self.attribute} in {self.path.name}"
        if may_depend_on(self.child_domain, self.parent_domain):
            own = tuple(self.declared_by)
            return (
                f"{remove}: core may not depend on domains. If {other} needs it, add {own!r} to its"
                " dependencies."
            )
        hint = (
            f"{remove}: keep the other's id instead of a foreign key, or move what both need to"
            " core."
        )
        if self.attribute == "dependencies":
            hint += (
                " If it is applied, leave it: convert the foreign keys with ConvertToReference, and"
                f' add {FORMER} = ["{other.app}"] to the class Migration that does it.'
            )
        if b"get_model" in self.path.read_bytes():
            hint += (
                f" A RunPython that asks for models of {other.app} is then left out of a new"
                " database, where there is nothing to convert."
            )
        return hint


def crossing_links(domains: Sequence[Domain] | None = None) -> Iterator[CrossingLink]:
    """Yield the dependencies between migrations that break the rule, of all domains."""
    domains = get_domains() if domains is None else domains
    if len(domains) == 1:
        return  # Parsing all files of core would find nothing.
    owners = app_owners(domains)
    for domain in domains:
        foreign = {label.encode() for label, owner in owners.items() if owner != domain}
        for label in domain.app_labels:
            for path in migration_files(label):
                if _may_reference(path.read_bytes(), foreign):
                    for link in _links_of(MigrationKey(label, path.stem), path, owners):
                        if not link.is_former:
                            yield link


def _may_reference(source: bytes, labels: set[bytes]) -> bool:
    """Return whether a file may depend on one of the apps, which parsing will show.

    Parsing takes a hundred times as long. A regular expression of all labels would be one for
    each domain, and compiling those takes a second where there are hundreds.
    """
    if b"swappable_dependency" in source:
        return True
    if len(source) < LARGE:
        return not labels.isdisjoint(source.replace(b"'", b'"').split(b'"'))
    # Slower, but without a list of all texts in the file.
    return not labels.isdisjoint(found[0] for found in QUOTED.finditer(source))


def _links_of(key: MigrationKey, path: Path, owners: AppOwners) -> Iterator[CrossingLink]:
    header = read_header(path)
    pairs = [(key, parent, "dependencies") for parent in header.dependencies]
    pairs += [(child, key, "run_before") for child in header.run_before]
    for child, parent, attribute in pairs:
        user, used = owners.get(child[0]), owners.get(parent[0])
        if user and used and _is_forbidden_link(attribute, user, used):
            if attribute == "dependencies" and is_paired(child, parent):
                continue
            yield CrossingLink(key, path, attribute, child, parent, user, used)


def check_plan(plan: Sequence[tuple[Migration, bool]], state: ProjectState, domain: Domain) -> None:
    """Check a plan's operations and dependencies.

    Arguments:
        plan: migrations in order, and whether each is reverted. Those that are were checked
            when they were applied.
        state: the project's state before the plan; left as it is.

    Raises:
        BoundaryViolation: an operation relates a model to one of another domain, or names a
            table outside the domain, or a migration depends on another domain's.
        InvalidConfiguration: an operation names a model or a field that does not exist.
    """
    forwards = [migration for migration, backwards in plan if not backwards]
    if not forwards:
        return
    domains = get_domains()
    owners = app_owners(domains)
    state = state.clone()
    seen = {key: _replaceable_parts(model) for key, model in state.models.items()}
    for migration in forwards:
        _check_links(migration, domain, owners)
        for number, operation in enumerate(migration.operations, start=1):
            _apply(migration, number, operation, state)
            parts = {key: _replaceable_parts(model) for key, model in state.models.items()}
            changed = [key for key in parts if not _identical(seen.get(key), parts[key])]
            seen = parts
            for key in changed:
                for check_id, action, hint in _problems(state.models[key], domain, domains, owners):
                    if is_silenced(check_id):
                        continue
                    raise BoundaryViolation(
                        f"Migration {migration} is refused: its operation {number},"
                        f" {type(operation).__name__}, {action}.",
                        hint=hint,
                    )


def _apply(migration: Migration, number: int, operation: Operation, state: ProjectState) -> None:
    try:
        operation.state_forwards(migration.app_label, state)
    except (KeyError, FieldDoesNotExist) as exc:
        (missing,) = exc.args
        if isinstance(exc, KeyError):
            missing = f"there is no {'.'.join(missing) if isinstance(missing, tuple) else missing}"
        raise InvalidConfiguration(
            f"Migration {migration} cannot be planned: its operation {number},"
            f" {type(operation).__name__} ({operation.describe()}), does not fit what the"
            f" migrations before it make: {missing}.",
            hint="Correct the operation, or the migration's dependencies.",
        ) from exc


def _check_links(migration: Migration, domain: Domain, owners: AppOwners) -> None:
    for attribute in ("dependencies", "run_before"):
        for label, name in getattr(migration, attribute):
            other = owners.get(label)
            if other is not None and _is_forbidden_link(attribute, domain, other):
                own = MigrationKey.of(migration)
                if attribute == "dependencies" and is_paired(own, (label, name)):
                    continue
                verb = "name" if attribute == "dependencies" else "names"
                raise BoundaryViolation(
                    f"Migration {migration} is refused: its {attribute} {verb}"
                    f" {label}.{name}, {owner_clause(other)}.",
                    hint=CORE_DEPENDS if other.is_core else depends_hint(domain),
                )


def _replaceable_parts(model: ModelState) -> list[Any]:
    """Return the objects that an operation replaces when it changes the model.

    They are compared by identity: to Django, two fields are equal that only look alike.
    """
    return [model.bases, *model.fields, *model.fields.values(), *model.options.values()]


def _identical(before: list[Any] | None, after: list[Any]) -> bool:
    return before is not None and len(before) == len(after) and all(map(is_, before, after))


def _problems(
    model: ModelState, domain: Domain, domains: Sequence[Domain], owners: AppOwners
) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a model: the check's id, the rest of a sentence, and a hint."""
    label = f"{model.app_label}.{model.name}"
    owner = owners.get(model.app_label)
    if owner is not None and owner != domain:
        yield "", f"changes the model {label}, {owner_clause(owner)}", depends_hint(domain)
        return
    for relation in _relations(model):
        if other := forbidden_owner(relation, domain, owners):
            inherits = relation.kind == "inheritance"
            verb = "makes {} inherit from" if inherits else "relates {} to"
            action = f"{verb.format(relation.source)} {relation.target}, {owner_clause(other)}"
            check_id, _verb = RELATION_PHRASES.get(relation.kind, ("E001", ""))
            yield check_id, action, depends_hint(domain)
    for named, db_table, managed in _tables(model):
        wrong = table_problem(domain, db_table, domains, managed=managed)
        if wrong is None or (wrong.table is None and not managed):
            continue  # A malformed name that no table gets is the checks' to report.
        check_id = "E007" if wrong.table else "E008"
        if wrong.table is None:
            name = named.rpartition(".")[2].lower()
            action = f"names the table {db_table} for {named}, which is malformed: {wrong.reason}"
        else:
            name = wrong.table.name
            action = (
                f"names the table {wrong.table} for {named}, which is outside the schema"
                f' "{domain.schema}"'
            )
        line = db_table_line(domain, name)
        yield (
            check_id,
            action,
            f'Every table of the domain is in the schema "{domain.schema}": {line}',
        )


def _relations(model: ModelState) -> Iterator[Relation]:
    """Yield the relations to other models; what points at none, such as a mixin, is left out."""
    label = f"{model.app_label}.{model.name}"
    references: list[tuple[str, str, Any]] = [("inheritance", label, base) for base in model.bases]
    for name, field in model.fields.items():
        if remote := getattr(field, "remote_field", None):
            source = f"{label}.{name}"
            references.append((relation_kind(field), source, remote.model))
            references.append(("through", source, getattr(remote, "through", None)))
    for kind, source, target in references:
        if isinstance(target, str):
            app_label, name = resolve_relation(target, model.app_label, model.name_lower)
        elif meta := getattr(target, "_meta", None):
            app_label, name = meta.app_label, meta.model_name
        else:
            continue
        yield Relation(kind, source, f"{app_label}.{name}", app_label)


def _tables(model: ModelState) -> Iterator[tuple[str, str, bool]]:
    """Yield (label, db_table, managed) of the many-to-many tables and of the model's own."""
    label, options = f"{model.app_label}.{model.name}", model.options
    for name, field in model.fields.items():
        if table := getattr(field, "db_table", None):  # Only many-to-many fields have one.
            yield f"{label}.{name}", table, True
    if not options.get("proxy") and not options.get("swappable"):
        db_table = options.get("db_table") or f"{model.app_label}_{model.name_lower}"
        yield label, db_table, options.get("managed", True)
