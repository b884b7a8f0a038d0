"""Project files that list domains."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from ...engine.sources.files import is_installed
from ...engine.sources.parsing import assignments
from ...exceptions import InvalidConfiguration

MARKER = "# start_domain adds a domain above this line."

LIST = "INSTALLED_APPS"
MARKED_APPS = re.compile(rb"^([ \t]*)# start_domain\b", re.MULTILINE)

OWNERS_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""The places that GitHub reads, in its order; a new file is written to the second."""
MARKED_OWNERS = re.compile(r"^# start_domain\b", re.MULTILINE)
OWNERS_SECTION = f"# The domains, each with its owner.\n{MARKER}\n"

PACKAGE_LISTS = ("known-first-party", "root_packages", "testpaths")
PYTEST_FILES = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
TESTPATHS = re.compile(r"^testpaths\s*=", re.MULTILINE)
MARKED_LIST = re.compile(r"#.*\ba new one is added here\b")
CONTRACT = """\
[[tool.importlinter.contracts]]
name = "No domain imports another"
type = "independence"
modules = [
    # The domains; a new one is added here.
{names}
]"""


@dataclass(frozen=True)
class SettingsFile:
    """A settings module of the project itself.

    Attributes:
        root: the folder that it is imported from, where the project's apps are too.
    """

    path: Path
    root: Path
    content: bytes

    def add_app(self, app: str) -> bytes | None:
        """Return the content with an app at its end; None where there is no place for it.

        An app is added at the marker, or after the last one, with the marker for the next one.
        """
        newline = b"\r\n" if b"\r\n" in self.content else b"\n"
        if marked := MARKED_APPS.search(self.content):
            entry = b'%b"%b",%b' % (marked[1], app.encode(), newline)
            return self.content[: marked.start()] + entry + self.content[marked.start() :]
        found = _plain_list(self.content)
        if found is None:
            return None
        end, close = self._end_of(found.elts[-1]), self._end_of(found) - 1
        between = self.content[end:close]
        comma = b"" if b"," in re.sub(rb"#.*", b"", between) else b","
        lines = [comma + between.rstrip(), f'    "{app}",'.encode(), f"    {MARKER}".encode(), b""]
        return self.content[:end] + newline.join(lines) + self.content[close:]

    def _end_of(self, node: ast.expr) -> int:
        lines = self.content.splitlines(keepends=True)[: (node.end_lineno or 1) - 1]
        return sum(map(len, lines)) + (node.end_col_offset or 0)


def find_settings() -> SettingsFile:
    """Return the file that lists the apps: the marked one, else one with a plain list.

    Raises:
        InvalidConfiguration: there is none.
    """
    files = list(_files(settings.SETTINGS_MODULE, set())) if settings.configured else []
    marked = [file for file in files if MARKED_APPS.search(file.content)]
    usable = marked or [file for file in files if _plain_list(file.content) is not None]
    if not usable:
        raise InvalidConfiguration(
            f"The settings {settings.SETTINGS_MODULE} have no place for a new domain.",
            hint=f"Put this line into {LIST}, after the last app: {MARKER}",
        )
    return usable[0]


def _files(module: str, seen: set[str]) -> Iterator[SettingsFile]:
    """Yield a module's file, then those of the modules that it imports everything from."""
    spec = importlib.util.find_spec(module)
    if module in seen or spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return
    seen.add(module)
    path = Path(spec.origin)
    if is_installed(path):
        return
    is_package = bool(spec.submodule_search_locations)
    content = path.read_bytes()
    yield SettingsFile(path, path.parents[module.count(".") + is_package], content)
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            name = "." * node.level + (node.module or "")
            yield from _files(importlib.util.resolve_name(name, package or None), seen)


def _plain_list(content: bytes) -> ast.List | ast.Tuple | None:
    """Return the first list of apps that is written out and not empty."""
    for name, value in assignments(ast.parse(content).body):
        if name == LIST and isinstance(value, ast.List | ast.Tuple) and value.elts:
            return value
    return None


def add_to_pyproject(text: str, name: str) -> str:
    """Return ``pyproject.toml`` with the domain in every marked list, and in those of packages.

    Comments and layout are kept. The text is returned unchanged where it has no such lists of
    strings.

    Raises:
        InvalidConfiguration: tomlkit is not installed.
    """
    if not text:
        return text
    try:
        import tomlkit
        from tomlkit.items import Array
    except ImportError as exc:
        raise InvalidConfiguration(
            "pyproject.toml cannot be edited, because tomlkit is not installed.",
            hint='Run: pip install "tomlkit>=0.13"',
        ) from exc
    document = tomlkit.parse(text)

    def extend(node: Any, key: str = "") -> None:
        if isinstance(node, Array):
            written = node.as_string()
            if key in PACKAGE_LISTS or MARKED_LIST.search(written):
                _extend(node, name, keep_order="\n" not in written)
        elif isinstance(node, dict):
            for inner_key, inner in node.items():
                extend(inner, inner_key)
        elif isinstance(node, list):
            for inner in node:
                extend(inner)

    extend(document)
    return document.as_string()


def _extend(names: Any, name: str, *, keep_order: bool) -> None:
    """Add the name to a list of strings, written as its last one is, as ``name`` or ``name.*``."""
    if not all(isinstance(value, str) for value in names):
        return
    entry = f"{name}.*" if names and names[-1].endswith(".*") else name
    if entry in names:
        return
    is_sorted = keep_order and list(names) == sorted(names)
    names.append(entry)
    if is_sorted:
        ordered = sorted(names)
        names.clear()
        names.extend(ordered)


def has_contract(text: str, name: str) -> bool:
    """Return whether a contract of import-linter keeps other domains from importing the domain."""
    linter: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("importlinter", {})
    return any(
        name in contract.get("modules", ()) and contract.get("type") == "independence"
        for contract in linter.get("contracts", ())
    )


def file_with_testpaths(root: Path) -> str | None:
    """Return the name of a file that is not edited and has pytest's ``testpaths``."""
    texts = {name: root / name for name in PYTEST_FILES if (root / name).is_file()}
    return next(
        (
            name
            for name, path in texts.items()
            if TESTPATHS.search(path.read_text(errors="replace"))
        ),
        None,
    )


def owners_file(root: Path) -> Path:
    """Return the path of the project's ``CODEOWNERS``, which may not exist yet."""
    paths = [root / name for name in OWNERS_FILES]
    return next(filter(Path.is_file, paths), paths[1])


def add_owner(text: str, folders: Sequence[str], owner: str) -> str:
    """Return ``CODEOWNERS`` with the folders and their owner, in a section for domains."""
    if MARKED_OWNERS.search(text) is None:
        text = f"{text.rstrip()}\n\n{OWNERS_SECTION}" if text.strip() else OWNERS_SECTION
    lines = "".join(f"/{folder}/ {owner}\n" for folder in folders)
    return MARKED_OWNERS.sub(lambda marker: lines + marker[0], text, count=1)
