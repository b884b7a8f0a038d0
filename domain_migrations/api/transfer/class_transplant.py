"""The class itself: it leaves its module, and is written into one of the other app."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import libcst as cst
from django.db.models import Model

from ..source_code.blocker import Blocker
from ..source_code.import_block import ImportBlock
from ..source_code.module_source import Import, ModuleSource
from ..source_code.project_modules import Project, may_import
from ..source_code.source_editor import SourceEditor
from .by_hand import ByHand
from .divided_module import Definition, DividedModule, Sharing
from .dotted_path import app_of_module, resolve
from .label_texts import LabelTexts
from .model_lookups import ModelLookups
from .model_move import ModelMove
from .moved_class import edit_class, edit_texts
from .moved_names import MovedName, dotted_paths
from .target_module import TargetModule, find_target
from .used_paths import used_paths

DOCSTRING = '"""{}."""\n'
FUTURE = "from __future__ import annotations\n"


class ClassTransplant:
    """Writes the class, with what it takes along, into the other app.

    Attributes:
        names: what moves, the class first.
        content: the class's module before.
        by_hand: lines of the new module, with their numbers in the one before.
    """

    def __init__(self, move: ModelMove, project: Project, editor: SourceEditor) -> None:
        self.move, self.project, self.editor = move, project, editor
        self.path = Path(str(sys.modules[move.model.__module__].__file__)).resolve()
        self.module = project.module(self.path)
        self.content = editor.content(self.path)
        self.by_hand: list[ByHand] = []
        self.written = self.divide()

    def divide(self) -> DividedModule:
        """Return the class's module, to be edited."""
        source = ModuleSource(
            self.content, self.move.model.__module__, is_package=self.module.is_package
        )
        return DividedModule(
            source,
            self.move.model.__name__,
            is_model=self._is_model,
            is_used_elsewhere=self._is_used_elsewhere,
            sharing=self.sharing,
        )

    @cached_property
    def sharing(self) -> Sharing:
        if may_import(self.move.source, self.move.target):
            return Sharing.MOVE
        return Sharing.KEEP if self._may_import_source else Sharing.COPY

    @cached_property
    def target(self) -> TargetModule:
        is_alone = len(self.written.removed) == len(self.written.definitions)
        return find_target(self.move.target, self.move.model.__name__, self.path, is_alone=is_alone)

    @cached_property
    def names(self) -> list[MovedName]:
        own = self.move.model.__name__
        others = [name for item in self.written.removed for name in item.names if name != own]
        return [self._moved(name) for name in (own, *others)]

    def _moved(self, name: str) -> MovedName:
        is_class = name == self.move.model.__name__
        paths = self._paths(name)
        return MovedName(
            name,
            paths,
            module=self.target.name,
            package=self.target.package if is_class else self.target.name,
            label=self.move.new_label if is_class else "",
            is_relative=self.target.is_relative,
            kept_paths=paths & self._migration_paths,
        )

    # The target

    def run(self) -> None:
        """Write the class into its new module."""
        target, divided = self.target, self.written
        content = self.editor.content(target.path) or self._skeleton().encode()
        home = ModuleSource(content, target.name, is_package=target.path.name == "__init__.py")
        block = ImportBlock(home, self.project.style)
        source = divided.source
        lookups = ModelLookups(
            source, block, is_early=True, refuse=self._refuse, note=self._note, home=home
        )
        taken = self._taken_names(home) if target.path.is_file() else set()
        for name in (name for written in divided.written for name in written.names):
            if name in taken:
                self._block(
                    f"{target.path} has something of the name {name} already.",
                    f"Rename it, or {name} of {source.name}, before.",
                )
        for needed, uses in divided.needed_imports():
            self._need(home, block, lookups, needed, uses, taken)
        for name, uses in divided.kept_needs:
            self._need_kept(block, lookups, name, uses)
        self._need_stars(home, block, lookups, taken)
        for item in LabelTexts(self.move, self.names[0]).edit(source, self.module):
            if divided.is_written_line(item.line):
                self.by_hand.append(replace(item, path=target.path))
        edit_texts(source, self.move, divided.model.statement)
        for copied in divided.copied:
            self._note_copy(copied)
        texts = [(each, self._text(each)) for each in divided.written]
        block.finish()
        head = home.edited_text().rstrip()
        body = _joined(texts)
        written = f"{head}\n\n\n{body}\n" if head else f"{body}\n"
        newline = (home if target.path.is_file() else source).module.default_newline
        written = written.replace("\r\n", "\n").replace("\n", newline)
        self.editor.write(target.path, home.encode(written))
        target.export(self.editor, self.move.model.__name__, self.project.style)

    def _taken_names(self, home: ModuleSource) -> set[str]:
        """Return the names of a module, without those that it imports of what moves."""
        paths = {path for moved in self.names for path in moved.old_paths}
        imported = {item.bound for item in home.imports() if item.origin in paths}
        return home.global_names() - imported

    def _skeleton(self) -> str:
        text = ""
        source = self.written.source
        if source.module.get_docstring() is not None:
            plural = str(self.move.model._meta.verbose_name_plural)
            text += DOCSTRING.format(plural[:1].upper() + plural[1:])
        if any(item.origin == "__future__.annotations" for item in source.imports()):
            text += f"\n{FUTURE}" if text else FUTURE
        return text

    def _text(self, item: Definition) -> str:
        start, end = self.written.span(item)
        text = self.written.source.edited_text(start, end).replace("\r\n", "\n").strip("\n")
        return edit_class(text, self.move) if item is self.written.model else text

    # What the class needs

    def _need(
        self,
        home: ModuleSource,
        block: ImportBlock,
        lookups: ModelLookups,
        item: Import,
        uses: tuple[Any, ...],
        taken: set[str],
    ) -> None:
        """Import what the class needs in its new module, too."""
        if self._is_forbidden(lookups, item.origin, item.bound, uses):
            return
        statement: Any = item.statement
        if isinstance(statement, cst.Import):
            bound = item.bound.partition(".")[0]
            module, name = item.alias.evaluated_name, ""
        else:
            bound = item.bound
            module, name = self._import_module(statement, item), item.alias.evaluated_name
            if module == home.name:
                return
        if bound in taken:
            self._check_meaning(home, item.bound, item.origin)
            return
        asname = item.alias.evaluated_alias or ""
        if isinstance(self.written.source.statement_of(statement), cst.If):
            suffix = f" as {asname}" if asname else ""
            block.add_for_typing(
                f"from {module} import {name}{suffix}" if name else f"import {module}{suffix}"
            )
        else:
            block.add(module, name, asname)

    def _is_forbidden(
        self, lookups: ModelLookups, origin: str, name: str, uses: tuple[Any, ...]
    ) -> bool:
        """Return whether the new module may not import something; look it up, or block."""
        app = app_of_module(origin)
        if app is None or may_import(self.move.target, app):
            return False
        found = resolve(origin)
        if isinstance(found, type) and issubclass(found, Model) and not found._meta.abstract:
            lookups.replace(uses, found._meta.label, name)
        else:
            self._block(
                f"{self.move.old_label} uses {origin}, which {self.move.target.label}"
                " may not import.",
                "Move it to core, or to a module outside of the domains, before.",
            )
        return True

    def _check_meaning(self, home: ModuleSource, name: str, origin: str) -> None:
        """Block if a name of the new module is that of something else there."""
        found = resolve(origin)
        if not any(
            other.bound == name
            and (other.origin == origin or (found and resolve(other.origin) is found))
            for other in home.imports()
        ):
            self._block(
                f"{self.target.path} uses the name {name.partition('.')[0]} for something else.",
                f"Rename it there, or in {self.written.source.name}, before.",
            )

    def _import_module(self, statement: Any, item: Import) -> str:
        """Return the module to import from, as the new module spells it."""
        absolute = self.written.source.absolute(statement)
        package = self.target.package
        if not f"{absolute}.".startswith(f"{package}."):
            return absolute
        # The package is being imported when its module is.
        defining = str(getattr(resolve(item.origin), "__module__", absolute))
        if not defining.startswith(package):
            defining = absolute
        if self.target.is_relative and defining.rpartition(".")[0] == package:
            return f".{defining.rpartition('.')[2]}"
        return defining

    def _need_kept(
        self, block: ImportBlock, lookups: ModelLookups, name: str, uses: tuple[Any, ...]
    ) -> None:
        if self._may_import_source:
            block.add(self.written.source.name, name)
        else:
            lookups.replace(uses, f"{self.move.source.label}.{name}", name)

    def _need_stars(
        self, home: ModuleSource, block: ImportBlock, lookups: ModelLookups, taken: set[str]
    ) -> None:
        """Import the names that come with all others of a module."""
        divided = self.written
        modules = divided.source.star_imports()
        for name in sorted(divided.source.unbound_names(divided.is_written)) if modules else ():
            uses = tuple(filter(divided.is_written, divided.source.unknown_uses(name)))
            found = (each for each in modules if hasattr(importlib.import_module(each), name))
            module = next(found, home.name)
            origin = f"{module}.{name}"
            if module == home.name or self._is_forbidden(lookups, origin, name, uses):
                continue
            if name in taken:
                self._check_meaning(home, name, origin)
            else:
                block.add(module, name)

    # Who uses what

    @property
    def _may_import_source(self) -> bool:
        return may_import(self.move.target, self.move.source)

    def _is_model(self, name: str) -> bool:
        found = vars(sys.modules[self.move.model.__module__]).get(name)
        return (
            isinstance(found, type)
            and issubclass(found, Model)
            and found.__module__ == self.move.model.__module__
            and not found._meta.abstract
        )

    def _paths(self, name: str) -> frozenset[str]:
        return dotted_paths(name, self.move.model.__module__, f"{self.move.source.name}.models")

    @cache  # noqa: B019  (it lives as long as the plan of one command)
    def _is_used_elsewhere(self, name: str) -> bool:
        paths = self._paths(name)
        if paths & self._migration_paths:
            return True
        word = re.compile(rf"\b{re.escape(name)}\b".encode())
        for module in self.project.modules():
            content = self.editor.content(module.path)
            if module.path == self.path or not word.search(content):
                continue
            if paths & used_paths(content, module.name, is_package=module.is_package):
                return True
        return False

    @cached_property
    def _migration_paths(self) -> set[str]:
        """The dotted paths of models' modules that migrations use."""
        found = set()
        for file in self.project.migrations():
            content = file.read_bytes()
            if b"models" in content or self.path.stem.encode() in content:
                name = self.project.module(file).name
                found |= used_paths(content, name, is_package=False)
        return found

    # Messages

    def _block(self, message: str, hint: str) -> None:
        self.editor.blockers.append(Blocker(message, hint))

    def _refuse(self, use: Any) -> None:
        source = self.written.source
        self._block(
            f"{self.path}:{source.line(use)} uses {source.text(use)} when the class is defined,"
            f" which {self.move.target.label} may not import.",
            "Look it up in a method with apps.get_model(), or remove it, before.",
        )

    def _note(self, use: Any) -> None:
        source = self.written.source
        self._by_hand(use, f"{source.text(use)} cannot be imported; the annotation is Any")

    def _note_copy(self, item: Definition) -> None:
        if self.sharing is Sharing.COPY:
            names = ", ".join(item.names)
            self._by_hand(item.statement, f"{names} {self.sharing.value}: {self.target.path.name}")

    def _by_hand(self, node: Any, reason: str) -> None:
        source = self.written.source
        start = source.span(node)[0]
        line = source.data[source.line_start(start) : source.line_end(start)].decode().strip()
        self.by_hand.append(ByHand(self.target.path, source.line(node), line, reason))


def _joined(texts: list[tuple[Definition, str]]) -> str:
    """Return definitions with the blank lines that belong between them."""
    parts: list[str] = []
    was_simple = False
    for item, text in texts:
        is_simple = isinstance(item.statement, cst.SimpleStatementLine)
        if parts:
            parts.append("\n" if is_simple and was_simple else "\n\n\n")
        parts.append(text)
        was_simple = is_simple
    return "".join(parts)
