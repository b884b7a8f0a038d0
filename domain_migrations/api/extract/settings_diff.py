"""The change of the settings that lets the application use the domain's own server, as a diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from django.conf import settings

from ...conf import get_settings
from ...domains import Domain

ROUTER = '''\
class {name}Router:
    """The domain "{domain}" is on a server of its own."""

    labels = {labels}

    def db_for_read(self, model, **hints):
        return {target!r} if model._meta.app_label in self.labels else None

    db_for_write = db_for_read

    def allow_relation(self, obj1, obj2, **hints):
        one, other = (obj._meta.app_label in self.labels for obj in (obj1, obj2))
        return True if one != other else None
'''


def settings_diff(domain: Domain, target: str) -> str:
    """Return the diff of the settings, and the router that they name."""
    name = "".join(part.capitalize() for part in domain.name.split("_"))
    databases = dict(get_settings().databases)
    routers = [
        each if isinstance(each, str) else f"{type(each).__module__}.{type(each).__qualname__}"
        for each in settings.DATABASE_ROUTERS
    ]
    router = f"config.routers.{name}Router"
    before = _lines(databases, routers)
    own = [] if router in routers else [router]
    # DomainRouter refuses what crosses domains, so it is asked first.
    after = _lines({**databases, domain.name: target}, [*routers, *own])
    diff = difflib.unified_diff(before, after, "settings.py", "settings.py", lineterm="", n=1)
    source = ROUTER.format(
        name=name, domain=domain.name, labels=_set(domain.app_labels), target=target
    ).splitlines()
    added = difflib.unified_diff([], source, "/dev/null", "config/routers.py", lineterm="")
    return "\n".join([*diff, *added])


def _lines(databases: dict[str, str], routers: list[str]) -> list[str]:
    return [
        "DOMAIN_MIGRATIONS = {",
        f'    "DATABASES": {_double(databases)},',
        "}",
        "DATABASE_ROUTERS = [",
        *(f'    "{router}",' for router in routers),
        "]",
    ]


def _set(labels: Iterable[str]) -> str:
    return f"{{{', '.join(map(repr, sorted(labels)))}}}"


def _double(values: dict[str, str]) -> str:
    pairs = ", ".join(f'"{key}": "{value}"' for key, value in values.items())
    return f"{{{pairs}}}"
