"""Where the project's settings list its apps, and putting one more there."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ...exceptions import InvalidConfiguration

MARKER = "# start_domain adds a domain above this line."
MARKED = re.compile(rb"^([ \t]*)# start_domain\b", re.MULTILINE)
LIST = "INSTALLED_APPS"
INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class SettingsFile:
    """A module of settings that are the project's own.

    Attributes:
        root: the folder that it is imported from, where the project's apps are too.
    """

    path: Path
    root: Path
    content: bytes

    def add_app(self, app: str) -> bytes | None:
        """Return the content with an app at its end; None where there is no place for it."""
        return self._at_marker(app) or self._in_list(app)

    @property
    def is_marked(self) -> bool:
        return MARKED.search(self.content) is not None

    @property
    def _newline(self) -> bytes:
        return b"\r\n" if b"\r\n" in self.content else b"\n"

    def _at_marker(self, app: str) -> bytes | None:
        marked = MARKED.search(self.content)
        if marked is None:
            return None
        entry = b'%b"%b",%b' % (marked[1], app.encode(), self._newline)
        return self.content[: marked.start()] + entry + self.content[marked.start() :]

    def _in_list(self, app: str) -> bytes | None:
        """Add it behind the last app, and the marker for the next one."""
        found = _literal(self.content)
        if found is None or not found.elts:
            return None
        starts = [0]
        for line in self.content.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        last = found.elts[-1]
        end = starts[(last.end_lineno or 1) - 1] + (last.end_col_offset or 0)
        close = starts[(found.end_lineno or 1) - 1] + (found.end_col_offset or 0) - 1
        between = self.content[end:close]
        comma = b"" if b"," in re.sub(rb"#.*", b"", between) else b","
        lines = [comma + between.rstrip(), f'    "{app}",'.encode(), f"    {MARKER}".encode(), b""]
        return self.content[:end] + self._newline.join(lines) + self.content[close:]


def find_settings() -> SettingsFile:
    """Return the file in which apps are listed: the marked one, else one with a plain list.

    Raises:
        InvalidConfiguration: there is none.
    """
    files = list(_files(settings.SETTINGS_MODULE, set())) if settings.configured else []
    marked = [file for file in files if file.is_marked]
    usable = marked or [file for file in files if _literal(file.content) is not None]
    if not usable:
        raise InvalidConfiguration(
            f"The settings {settings.SETTINGS_MODULE} have no place for a new domain.",
            hint=f"Put this line into {LIST}, behind the last app: {MARKER}",
        )
    return usable[0]


def _files(module: str, seen: set[str]) -> Iterator[SettingsFile]:
    """Yield a module's file, then those of the modules that it imports everything from."""
    spec = importlib.util.find_spec(module)
    if module in seen or spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return
    seen.add(module)
    path = Path(spec.origin)
    if INSTALLED.intersection(path.parts):
        return
    packages = module.count(".") + (1 if spec.submodule_search_locations else 0)
    content = path.read_bytes()
    yield SettingsFile(path, path.parents[packages], content)
    package = module if spec.submodule_search_locations else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            name = "." * node.level + (node.module or "")
            yield from _files(importlib.util.resolve_name(name, package or None), seen)


def _literal(content: bytes) -> ast.List | ast.Tuple | None:
    for node in ast.parse(content).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        named = any(isinstance(target, ast.Name) and target.id == LIST for target in targets)
        if named and isinstance(value, ast.List | ast.Tuple) and value.elts:
            return value
    return None
