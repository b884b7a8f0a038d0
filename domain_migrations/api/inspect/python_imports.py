"""The imports of a module that is being written."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .python_source import WIDTH


class Imports:
    """Names by module."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}

    def copy(self) -> Imports:
        """Return imports of the same names."""
        found = Imports()
        found.names = {module: set(names) for module, names in self.names.items()}
        return found

    def use(self, path: str) -> str:
        """Return how the module spells the object of an import path, and import it.

        Arguments:
            path: ``django.db.models.CharField``, or ``domain_migrations.exact.expressions.SQL``.
        """
        module, _, name = path.rpartition(".")
        if module == "django.db.models":
            self.names.setdefault("django.db", set()).add("models")
            return f"models.{name}"
        self.names.setdefault(module, set()).add(name)
        return name

    def lines(self) -> Iterator[str]:
        """Yield the lines of the imports, as isort orders them."""
        yield "from __future__ import annotations"
        for section in range(3):
            modules = sorted(module for module in self.names if _section(module) == section)
            if modules:
                yield ""
            for module in modules:
                yield from _import(module, sorted(self.names[module], key=_order))


def _section(module: str) -> int:
    """Return the place of a module's section: standard library, packages, the engine."""
    package = module.partition(".")[0]
    return 0 if package in sys.stdlib_module_names else 2 if package == "domain_migrations" else 1


def _order(name: str) -> tuple[int, str]:
    """Return the place of a name as isort orders it: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower()


def _import(module: str, names: list[str]) -> Iterator[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"from {module} import ("
    for name in names:
        yield f"    {name},"
    yield ")"
