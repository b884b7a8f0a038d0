"""The rule: a domain may depend on itself and on core; core depends on nothing but itself.

What follows from it for a model is here once: ``forbidden_owner`` for what a model refers to,
``table_problem`` for where its table is. ``installed_models`` applies both to the models of the
apps, ``planned_migrations`` to the models that migrations would make.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import ManyToManyField, OneToOneField
from django.db.models.fields.related import ForeignKey

from ...domains import CORE_SCHEMA, Domain, QualifiedName

CHECK_PREFIX = "domain_migrations"
RELATION_PHRASES = {
    "inheritance": ("E005", "inherits from"),
    "one-to-one": ("E002", "is a one-to-one to"),
    "many-to-many": ("E003", "is a many-to-many to"),
    "through": ("E004", "is a many-to-many through"),
    "generic relation": ("E006", "is a generic relation to"),
}
"""Kind of relation → the id of its problem, and a verb; E001 for all others."""


def may_depend_on(domain: Domain, other: Domain) -> bool:
    """Return whether an object of ``domain`` may refer to an object of ``other``."""
    return other.name == domain.name or other.is_core


DOMAIN_DEPENDS = (
    "A domain may depend only on itself and core. Keep the other's id in a DomainReference and"
    " resolve it in code, or share the table in core."
)
CORE_DEPENDS = (
    "Core may not depend on domains. Move what both need to core, or do it in the domain's"
    " migration."
)


def depends_hint(domain: Domain) -> str:
    """Return what to do instead of depending on another domain."""
    return CORE_DEPENDS if domain.is_core else DOMAIN_DEPENDS


def violation_clause(domain: Domain, other: Domain) -> str:
    """Return the rule as a clause for a message, for a pair that breaks it."""
    core = "core may not depend on domains, and " if domain.is_core else ""
    return f'{core}it belongs to the domain "{other.name}"'


def owner_clause(owner: Domain | None) -> str:
    """Return a clause about the owner of a schema."""
    if owner is None:
        return "which belongs to no domain"
    name = "core" if owner.is_core else f'the domain "{owner.name}"'
    return f"which belongs to {name}"


class Problem(NamedTuple):
    """A problem that a system check reports, and that a run refuses to work with.

    Attributes:
        id: stable, without the prefix; never used again for something else.
        obj: the model, field or app, as in system checks; None for settings.
    """

    id: str
    message: str
    hint: str
    obj: Any = None

    @property
    def is_refused(self) -> bool:
        """Whether a run refuses to work with it: an error whose check is not silenced."""
        return self.id.startswith("E") and not is_silenced(self.id)


def is_silenced(check_id: str) -> bool:
    """Return whether the project silences a check, given its id without the prefix."""
    return f"{CHECK_PREFIX}.{check_id}" in settings.SILENCED_SYSTEM_CHECKS


AppOwners = dict[str, Domain]
"""The domain of each app, by the app's label."""


def app_owners(domains: Iterable[Domain]) -> AppOwners:
    return {label: domain for domain in domains for label in domain.app_labels}


class Relation(NamedTuple):
    """A reference of a model to another one.

    Attributes:
        kind: ``inheritance``, ``foreign key``, ``through`` and the like.
        source: the label of the model or of its field.
        target: the label of the other model.
        app_label: the app of the other model.
    """

    kind: str
    source: str
    target: str
    app_label: str


def relation_kind(field: Any) -> str:
    """Return the kind of relation that a field is, bound to a model or not."""
    if field.one_to_many:  # Not by its class, whose module needs an installed app.
        return "generic relation"
    if isinstance(field, ManyToManyField):
        return "many-to-many"
    if isinstance(field, OneToOneField):
        return "one-to-one"
    return "foreign key" if isinstance(field, ForeignKey) else type(field).__name__


def forbidden_owner(relation: Relation, domain: Domain, owners: AppOwners) -> Domain | None:
    """Return the domain that a relation leads to, if the rule forbids it."""
    owner = owners.get(relation.app_label)
    return None if owner is None or may_depend_on(domain, owner) else owner


class TableProblem(NamedTuple):
    """The name of a model's table that breaks the rule.

    Attributes:
        table: None where the name is malformed.
        reason: why it is malformed.
    """

    table: QualifiedName | None
    reason: str = ""


def table_problem(
    domain: Domain, db_table: str, domains: Iterable[Domain], *, managed: bool
) -> TableProblem | None:
    """Return what is wrong with the table of a domain's model: outside its schema, or malformed.

    Arguments:
        managed: whether Django manages the model; one that it does not may show core's table.
    """
    try:
        table = QualifiedName.of(db_table)
    except ValueError as exc:
        return TableProblem(None, str(exc).rstrip("."))
    if domain.is_core:
        # A schema that no domain owns counts as core's.
        allowed = all(other.is_core or other.schema != table.schema for other in domains)
    else:
        allowed = table.schema == domain.schema or (not managed and table.schema == CORE_SCHEMA)
    return None if allowed else TableProblem(table)


def db_table_line(domain: Domain, name: str) -> str:
    """Return the line to paste into a model's ``Meta``, or into a migration's options."""
    table = QualifiedName(domain.schema, name).db_table
    if domain.is_core:
        table = name.replace('"', '""')
    return f"db_table = {table!r}"
