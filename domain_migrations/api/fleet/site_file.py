"""The file of sites: a name and a DSN on each line.

Messages about it never quote a DSN, because any part of it may be a password in the wrong place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ...exceptions import InvalidSites
from .sites import Site, permission_warning

VARIABLE = re.compile(r"\$\{([^}]*)\}")
NAME = re.compile(r"[^\W_][\w.@-]*")
PORTS = re.compile(r"\d*(,\d*)*")
EXAMPLE = "branch-01 postgres://user@host:5432/name"


@dataclass(frozen=True)
class SiteFile:
    """What a file of sites has.

    Attributes:
        variables: the names of the variables that its DSNs have taken from the environment, which
            other commands do not get.
        warning: about its permissions, empty if all is well.
    """

    sites: tuple[Site, ...]
    variables: frozenset[str] = field(default=frozenset())
    warning: str = ""


def read_sites(path: Path, environment: Mapping[str, str] = os.environ) -> SiteFile:
    """Read a file of sites.

    Raises:
        InvalidSites: the file cannot be read; the message has a sentence for each wrong line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not encoded in UTF-8"
        raise InvalidSites(f"The file of sites {path} cannot be read: {reason}.") from None
    reader = _Reader(path, environment)
    sites = list(reader.sites(text))
    if reader.problems:
        raise InvalidSites("\n".join(reader.problems))
    if not sites:
        raise InvalidSites(
            f"The file of sites {path} has no site.", hint=f"Write one on each line: {EXAMPLE}"
        )
    warning = permission_warning(path) if reader.has_passwords else ""
    return SiteFile(tuple(sites), frozenset(reader.variables), warning)


class _Reader:
    """Reads lines, and collects what is wrong with them."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path, self.environment = path, environment
        self.problems: list[str] = []
        self.variables: set[str] = set()
        self.has_passwords = False
        self.names: dict[str, int] = {}
        self.places: dict[tuple[str, ...], str] = {}

    def sites(self, text: str) -> Iterator[Site]:
        """Yield the sites of the lines that are right."""
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            name, *dsn = line.split(None, 1)
            try:
                yield self._site(name, "".join(dsn).strip(), number)
            except InvalidSites as exc:
                self.problems.append(f"{self.path}, line {number}: {exc.full_message}")

    def _site(self, name: str, dsn: str, number: int) -> Site:
        if not NAME.fullmatch(name):
            raise InvalidSites(
                "The line does not begin with the name of a site.", hint=f"Write: {EXAMPLE}"
            )
        if name in self.names:
            raise InvalidSites(
                f'The site "{name}" is on line {self.names[name]}, too.',
                hint="Give each site a name of its own.",
            )
        self.names[name] = number
        parameters = self._parameters(name, dsn)
        place = self._place(parameters)
        if "service" not in parameters:
            if place in self.places:
                raise InvalidSites(
                    f'The site "{name}" is the same database as "{self.places[place]}".',
                    hint="Correct its DSN, or remove one of the lines.",
                )
            self.places[place] = name
        return Site.from_parameters(name, parameters, f"line {number} of {self.path}")

    def _place(self, parameters: Mapping[str, str]) -> tuple[str, ...]:
        """Return what tells the database from others, with the port that is meant without one."""
        port = parameters.get("port") or self.environment.get("PGPORT") or "5432"
        host, address, name = (parameters.get(word, "") for word in ("host", "hostaddr", "dbname"))
        return host.lower(), address, port, name

    def _parameters(self, name: str, dsn: str) -> dict[str, str]:
        if not dsn:
            raise InvalidSites(f'The site "{name}" has no DSN.', hint=f"Write: {EXAMPLE}")
        whole = VARIABLE.fullmatch(dsn)
        text = self._expanded(dsn) if whole else dsn
        try:
            # Parsed before it is expanded: the value of a variable needs no escaping then.
            parsed = conninfo_to_dict(text)
        except (psycopg.Error, UnicodeEncodeError):
            raise _unreadable(name) from None
        parameters = {word: str(value) for word, value in parsed.items() if value is not None}
        if "password" in parameters and not whole and not VARIABLE.search(parameters["password"]):
            self.has_passwords = True
        if not whole:
            parameters = {word: self._expanded(value) for word, value in parameters.items()}
        if _is_misread(text, parameters):
            raise _unreadable(name)
        if not parameters.get("dbname") and not parameters.get("service"):
            raise InvalidSites(
                f'The DSN of the site "{name}" names no database.',
                hint="Add it: postgres://user@host:5432/name, or dbname=….",
            )
        return parameters

    def _expanded(self, text: str) -> str:
        for variable in VARIABLE.findall(text):
            if variable not in self.environment:
                raise InvalidSites(
                    f"The variable {variable} is not set.", hint="Set it in the environment."
                )
            if any("\ud800" <= character <= "\udfff" for character in self.environment[variable]):
                raise InvalidSites(
                    f"The variable {variable} is not encoded in UTF-8.", hint="Set it again."
                )
            self.variables.add(variable)
        return VARIABLE.sub(lambda found: self.environment[found[1]], text)


def _is_misread(dsn: str, parameters: Mapping[str, str]) -> bool:
    """Return whether libpq takes a part of a password for something that messages name.

    It does that with an ``@`` or ``/`` in a URL's password that is not percent-encoded, and takes
    a URL as the name of a database where it is one of several pairs.
    """
    host, port, name = (parameters.get(word, "") for word in ("host", "port", "dbname"))
    in_url = "://" in dsn.partition("=")[0]
    return (
        "\0" in dsn
        or "@" in host[1:]  # A socket in no folder begins with one.
        or not PORTS.fullmatch(port)
        or "://" in name
        or "password=" in name
        or (in_url and "@" in name)
    )


def _unreadable(name: str) -> InvalidSites:
    return InvalidSites(
        f'The DSN of the site "{name}" cannot be read.',
        hint="Write a URL, postgres://user@host:5432/name, with special characters"
        " percent-encoded, such as %40 for @ and %2F for /, or pairs: host=… dbname=….",
    )
