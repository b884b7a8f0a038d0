"""What migrations depend on, read from their files' syntax trees without importing them.

Importing other domains' migrations is what makes stock Django slow, and a file may be broken.
What a tree does not tell, a dependency that is computed, the loader still finds for the domain
that it loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...domains import Domain, get_domains
from ..sources.files import MigrationKey, migration_files
from ..sources.parsing import read_header
from .rule import may_depend_on


@dataclass(frozen=True)
class CrossingLink:
    """A dependency that breaks the rule.

    Attributes:
        declared_by: the migration whose file says so.
        child, parent: what depends on what.
        word: ``dependencies`` or ``run_before``.
    """

    declared_by: MigrationKey
    path: Path
    attribute: str
    child: MigrationKey
    parent: MigrationKey
    child_domain: Domain
    parent_domain: Domain

    @property
    def message(self) -> str:
        """The sentence that a check, a plan or a finding says."""
        return (
            f"The migration {'.'.join(self.declared_by)} makes {'.'.join(self.child)} of"
            f" {self.child_domain.name} depend on {'.'.join(self.parent)} of"
            f" {self.parent_domain.name}."
        )

    @property
    def hint(self) -> str:
        """What to do about it."""
        own, other = tuple(self.declared_by), tuple(self.parent)
        if self.declared_by != self.child:
            other = tuple(self.child)
        if may_depend_on(self.child_domain, self.parent_domain):
            return (
                f"Take {other!r} out of {self.attribute} in {self.path.name}: core names no domain."
                f" If {'.'.join(other)} needs it, write {own!r} into its dependencies."
            )
        return (
            f"Take {other!r} out of {self.attribute} in {self.path.name}: keep the other's id"
            " instead of a foreign key, or move what both need to core."
        )


def crossing_links(domains: Sequence[Domain] | None = None) -> Iterator[CrossingLink]:
    """Yield the dependencies between migrations that break the rule, of all domains."""
    domains = get_domains() if domains is None else domains
    owners = {label: domain for domain in domains for label in domain.app_labels}
    for domain in domains:
        foreign = {
            label.encode()
            for label, owner in owners.items()
            if owner != domain
            and not (may_depend_on(domain, owner) and may_depend_on(owner, domain))
        }
        for label in domain.app_labels:
            for path in migration_files(label):
                if _may_reference(path.read_bytes(), foreign):
                    yield from _crossing(MigrationKey(label, path.stem), path, owners)


def _may_reference(source: bytes, labels: set[bytes]) -> bool:
    """Return whether a file may depend on one of the apps; most often one that does not is told.

    Parsing takes a hundred times as long. A pattern of all labels would be one for each domain,
    and compiling those takes a second where there are hundreds.
    """
    if b"swappable_dependency" in source:
        return True
    return not labels.isdisjoint(source.replace(b"'", b'"').split(b'"'))


def _crossing(key: MigrationKey, path: Path, owners: dict[str, Domain]) -> Iterator[CrossingLink]:
    header = read_header(path)
    pairs = [(key, parent, "dependencies") for parent in header.dependencies]
    pairs += [(child, key, "run_before") for child in header.run_before]
    for child, parent, word in pairs:
        user, used = owners.get(child[0]), owners.get(parent[0])
        if user is None or used is None or user == used:
            continue
        if not may_depend_on(user, used) or word == "run_before":
            yield CrossingLink(key, path, word, child, parent, user, used)
