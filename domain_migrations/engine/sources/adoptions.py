"""Declarations of adoptions: apps that leave ``public`` for the schema of their domain.

A declaration is the file ``adoption.toml`` in the migrations folder of one of the apps. It is
reviewed and deployed like code, and each database follows it with the next run of the domain.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...domains import CORE_SCHEMA, Domain, QualifiedName
from ...exceptions import InvalidConfiguration
from .files import adoption_file
from .toml_values import is_date, is_name, quoted, read_toml

FORMAT = 1
KEYS = ("format", "domain", "schema", "apps", "date", "compat_views_until", "undo", "tables")
REQUIRED = ("domain", "schema", "apps", "date", "tables")
HINT = "Correct it, or write it again: manage.py adopt_domain {domain} --write"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """One adoption, as declared.

    Attributes:
        domain: the domain's name.
        schema: the schema that the domain owns.
        apps: the labels of the adopted apps, which may be some of the domain's.
        date: the day of the declaration.
        tables: the name of each table in ``public`` → its name in the schema, both unquoted.
        compat_views_until: the last day of the views under the old names; None for no views.
        undo: whether the tables are to be moved back, because the apps are core's again.
        path: the file; not a part of the text.
    """

    domain: str
    schema: str
    apps: tuple[str, ...]
    date: datetime.date
    tables: Mapping[str, str]
    compat_views_until: datetime.date | None = None
    undo: bool = False
    path: Path | None = field(default=None, compare=False)

    @property
    def as_domain(self) -> Domain:
        """The domain, also where no installed app declares it any more."""
        return Domain(self.domain, self.schema, self.apps)

    @property
    def moves(self) -> dict[QualifiedName, QualifiedName]:
        """Where each table is before the adoption → where it is afterwards."""
        return {
            QualifiedName(CORE_SCHEMA, old): QualifiedName(self.schema, new)
            for old, new in self.tables.items()
        }

    def as_text(self) -> str:
        """Return the text of the file."""
        lines = [
            "# Moves these apps out of public into the schema of their domain. Each database",
            "# follows with the next run of migrate_domain or migrate.",
            f"format = {FORMAT}",
            f"domain = {quoted(self.domain)}",
            f"schema = {quoted(self.schema)}",
            f"apps = [{', '.join(map(quoted, self.apps))}]",
            f"date = {self.date.isoformat()}",
        ]
        if self.compat_views_until is not None:
            lines.append(f"compat_views_until = {self.compat_views_until.isoformat()}")
        if self.undo:
            lines.append("undo = true")
        lines += ["", "[tables]"]
        lines += [f"{_key(old)} = {quoted(new)}" for old, new in sorted(self.tables.items())]
        return "\n".join(lines) + "\n"


_are_ignored: ContextVar[bool] = ContextVar("_are_ignored", default=False)


@contextmanager
def ignored_adoptions() -> Iterator[None]:
    """Read no declarations in the block: code is tried that they are not about yet."""
    token = _are_ignored.set(True)
    try:
        yield
    finally:
        _are_ignored.reset(token)


def read_adoptions(app_labels: Iterable[str]) -> Iterator[Adoption]:
    """Yield the declarations in the migrations folders of the apps.

    Raises:
        InvalidConfiguration: a file is not a declaration.
    """
    for label in () if _are_ignored.get() else app_labels:
        if (path := adoption_file(label)) is not None:
            yield read_adoption(path)


def read_adoption(path: Path) -> Adoption:
    """Return the declaration in a file.

    Raises:
        InvalidConfiguration: the file cannot be read or is not a declaration.
    """
    try:
        values = read_toml(path)
    except ValueError as exc:
        raise _invalid(path, str(exc)) from exc
    if problem := _problem(values):
        raise _invalid(path, problem, values.get("domain"))
    del values["format"]
    return Adoption(**{**values, "apps": tuple(values["apps"])}, path=path)


def _invalid(path: Path, problem: str, domain: Any = None) -> InvalidConfiguration:
    name = domain if isinstance(domain, str) and domain else "DOMAIN"
    return InvalidConfiguration(
        f"The declaration {path} {problem.rstrip('.')}.", hint=HINT.format(domain=name)
    )


def _problem(values: dict[str, Any]) -> str:
    """Return what is wrong with the values of a file, as a predicate; "" if nothing is."""
    if values.get("format") != FORMAT:
        return f"has the format {values.get('format')!r}, and only {FORMAT} is known"
    if unknown := sorted(values.keys() - set(KEYS)):
        return f"has an unknown key: {unknown[0]}"
    if missing := [key for key in REQUIRED if key not in values]:
        return f"lacks {missing[0]}"
    for key in ("domain", "schema"):
        if not is_name(values[key]):
            return f"has an invalid {key}: {values[key]!r}"
    if values["schema"] == CORE_SCHEMA:
        return f"has the schema {CORE_SCHEMA}, where the tables are already"
    apps = values["apps"]
    if not isinstance(apps, list) or not apps or not all(map(is_name, apps)):
        return "needs a list of app labels in apps"
    for key in ("date", "compat_views_until"):
        if key in values and not is_date(values[key]):
            return f"needs a date such as 2026-11-29 in {key}"
    if not isinstance(values.get("undo", False), bool):
        return "needs true or false in undo"
    return _problem_of_tables(values["tables"])


def _problem_of_tables(tables: Any) -> str:
    if not isinstance(tables, dict):
        return 'needs a section [tables] with lines such as lab_sample = "lab_sample"'
    for old, new in tables.items():
        for name in (old, new):
            if not is_name(name):
                return f"has an invalid name in [tables]: {name!r}"
    names = list(tables.values())
    if twice := next((name for name in names if names.count(name) > 1), None):
        return f"moves two tables to the name {twice}"
    return ""


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else quoted(name)
