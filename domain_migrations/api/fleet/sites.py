"""Sites: the databases that one release goes to, as aliases of ``DATABASES`` or lines of a file."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from ...domains import get_domains
from ...engine.sessions.database_problems import SITE, SiteLabel
from ...exceptions import InvalidSites

CONNECT_TIMEOUT = 10
"""Seconds that an attempt to connect may take, unless the options of the connection say."""

DSN_PARAMETERS = {
    "dbname": "NAME",
    "host": "HOST",
    "port": "PORT",
    "user": "USER",
    "password": "PASSWORD",
}
"""libpq's parameters → the keys of ``DATABASES`` for them."""

OF_ONE_DATABASE = (*DSN_PARAMETERS, "hostaddr", "service")
"""The options of the default database that lead to it, or into it."""


@dataclass(frozen=True)
class Site:
    """One database that has every domain.

    Attributes:
        name: unique in its fleet.
        settings: of its connection, as an entry of ``DATABASES``.
        origin: where it is configured, for messages.
    """

    name: str
    settings: Mapping[str, Any] = field(repr=False)
    origin: str = ""

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], origin: str) -> Site:
        """Return a site whose connection knows which one it is, and does not wait forever."""
        options = {"connect_timeout": CONNECT_TIMEOUT, **settings.get("OPTIONS", {})}
        options.pop("pool", None)  # It has threads, and a site needs one connection.
        label = SiteLabel(name, origin)
        return cls(name, {**settings, "OPTIONS": options, SITE: label}, origin)

    @classmethod
    def from_parameters(cls, name: str, parameters: Mapping[str, str], origin: str) -> Site:
        """Return a site at another server or database than the default one, of the same kind.

        Arguments:
            parameters: libpq's; nothing that leads to the default database is taken from that.
        """
        default = connections.settings[DEFAULT_DB_ALIAS]
        values = {key: parameters.get(word, "") for word, key in DSN_PARAMETERS.items()}
        kept = {
            option: value
            for option, value in default.get("OPTIONS", {}).items()
            if option not in OF_ONE_DATABASE
        }
        given = {word: value for word, value in parameters.items() if word not in DSN_PARAMETERS}
        return cls.of(name, {**default, **values, "OPTIONS": {**kept, **given}}, origin)

    def connect_aliases(self, password: str | None = None) -> None:
        """Make the default alias, and those of all domains, lead to this site in this process.

        Arguments:
            password: instead of the configured one, if any.
        """
        aliases = {DEFAULT_DB_ALIAS, *(domain.database for domain in get_domains())}
        for alias in aliases:
            settings = {**self.settings, "OPTIONS": {**self.settings["OPTIONS"]}}
            if password is not None:
                settings["PASSWORD"] = password
                settings["OPTIONS"].pop("password", None)
            connections.settings[alias] = settings
            connections[alias] = connections.create_connection(alias)


def sites_of_databases(pattern: str) -> list[Site]:
    """Return the aliases of ``DATABASES`` that match a pattern, as sites.

    Raises:
        InvalidSites: none matches, or one cannot be a site, or is the same as another one.
    """
    patterns = pattern.split(",")
    aliases = [alias for alias in connections if any(fnmatchcase(alias, each) for each in patterns)]
    if not aliases:
        raise InvalidSites(
            f'No alias of DATABASES matches "{pattern}".',
            hint=f"The aliases are {', '.join(connections)}.",
        )
    sites = [
        Site.of(alias, connections.settings[alias], f'the alias "{alias}" of DATABASES')
        for alias in aliases
    ]
    if problems := list(_alias_problems(sites)):
        raise InvalidSites("\n".join(problems), hint="Leave it out of --databases.")
    return sites


def _alias_problems(sites: Iterable[Site]) -> Iterator[str]:
    places: dict[Hashable, str] = {}
    for site in sites:
        if connections[site.name].vendor != "postgresql":
            yield f'The alias "{site.name}" is not a PostgreSQL database.'
            continue
        place = (
            *(str(site.settings.get(key) or "") for key in ("HOST", "PORT", "NAME")),
            *(site.settings["OPTIONS"].get(word) for word in ("hostaddr", "service")),
        )
        if place in places:
            yield f'The alias "{site.name}" is the same database as "{places[place]}".'
        places.setdefault(place, site.name)


def chosen_sites(sites: Sequence[Site], patterns: Iterable[str]) -> list[Site]:
    """Return the sites with one of the names, in their order; all of them without names.

    Arguments:
        patterns: names, or shell patterns of names.

    Raises:
        InvalidSites: one of them matches no site.
    """
    wanted = list(patterns)
    for pattern in wanted:
        if not any(fnmatchcase(site.name, pattern) for site in sites):
            raise InvalidSites(
                f'There is no site "{pattern}".',
                hint=f"There are {len(sites)}, such as {sites[0].name}." if sites else "",
            )
    return [
        site
        for site in sites
        if not wanted or any(fnmatchcase(site.name, pattern) for pattern in wanted)
    ]


def permission_warning(path: Path) -> str:
    """Return what to say about a file with passwords that others may read; "" if they may not."""
    if os.name != "posix":
        return ""
    mode = path.stat().st_mode & 0o777
    if not mode & 0o077:
        return ""
    return (
        f"{path} has passwords, and others may read it (mode {mode:04o}). Run: chmod 600 {path}."
        " Or take the passwords out: ${VARIABLE}, a password command, or libpq's passfile."
    )
