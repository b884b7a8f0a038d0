"""The names that move from one module to another, and the dotted paths that lead to them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import libcst as cst

from ..source_code.exports import remove_exports
from ..source_code.import_block import ImportBlock
from ..source_code.module_source import Import, ModuleSource
from ..source_code.source_style import Style
from .model_lookups import ModelLookups, deferring_function, is_annotation

MISSING = object()
KEPT = "noqa: F401  (migrations import it from here)"


@dataclass(frozen=True)
class MovedName:
    """A class, a function or a constant.

    Attributes:
        old_paths: the dotted paths in the source app that lead to it.
        kept_paths: those of them that migrations use.
        module: the module that defines it afterwards.
        package: the module that others import it from.
        label: the model's new label; empty for what is not a model.
        is_relative: whether modules beside the new one import from it relatively.
    """

    name: str
    old_paths: frozenset[str]
    module: str
    package: str
    label: str = ""
    is_relative: bool = True
    kept_paths: frozenset[str] = frozenset()

    def module_for(self, source: ModuleSource) -> str:
        """Return the module that a module imports the name from, as it spells that."""
        is_beside = f"{source.package}.".startswith(f"{self.package}.")
        if not is_beside or self.module == self.package:
            return self.package
        if self.is_relative and self.module.rpartition(".")[0] == source.package:
            return f".{self.module.rpartition('.')[2]}"
        return self.module


def dotted_paths(name: str, module: str, package: str) -> frozenset[str]:
    """Return the dotted paths of an object of a module, in that module and in a package."""
    found = vars(sys.modules[module]).get(name, MISSING)
    return frozenset(
        f"{other}.{name}"
        for other, loaded in list(sys.modules.items())
        if (other in {module, package} or other.startswith(f"{package}."))
        and found is not MISSING
        and getattr(loaded, "__dict__", {}).get(name, MISSING) is found
    )


class NameEdits:
    """The edits of a module's uses of names that move.

    Arguments:
        may_import: whether the module may import from where they move to.
        defines: whether it is the module that they move to.
    """

    def __init__(
        self,
        source: ModuleSource,
        block: ImportBlock,
        style: Style,
        lookups: ModelLookups,
        *,
        may_import: bool,
        defines: bool = False,
    ) -> None:
        self.source, self.block, self.style = source, block, style
        self.lookups, self.may_import, self.defines = lookups, may_import, defines
        self.unexported: list[str] = []

    def edit(self, moved: MovedName, ignored: Callable[[Any], bool] = lambda node: False) -> None:
        """Edit the uses of a name.

        Arguments:
            ignored: returns whether an expression is not to be edited.
        """
        source = self.source
        if f"{source.name}.{moved.name}" in moved.old_paths - moved.kept_paths:
            self.unexported.append(moved.name)
        if any(f"{module}.{moved.name}" in moved.old_paths for module in source.star_imports()):
            self._edit_star_uses(moved)
        for item in source.imports():
            if item.origin in moved.old_paths and isinstance(item.statement, cst.ImportFrom):
                self._edit_import(item, moved)
                continue
            found = [
                node
                for path in sorted(moved.old_paths)
                if path.startswith(f"{item.origin}.")
                for node in source.dotted_uses(item, path)
                if not ignored(node)
            ]
            if found:
                self._edit_attributes(item, found, moved)

    def finish(self) -> None:
        remove_exports(self.source, self.unexported, self.style)
        self.block.finish()

    def _edit_star_uses(self, moved: MovedName) -> None:
        """Edit the uses of a name that comes with all others of its module."""
        uses = self.source.unknown_uses(moved.name)
        if self.defines:
            self.edit_own_uses(uses, moved)
        elif uses and self.may_import:
            self.block.add(moved.module_for(self.source), moved.name)
        elif moved.label:
            self.lookups.replace(uses, moved.label, moved.name)

    def _edit_import(self, item: Import, moved: MovedName) -> None:
        source, block = self.source, self.block
        path = f"{source.name}.{item.bound}"
        if path in moved.kept_paths and not item.uses:
            block.remove(item)
            block.add(moved.module_for(source), moved.name, comment=KEPT)
        elif path in moved.old_paths and not item.uses:
            block.remove(item)
        elif self.defines:
            block.remove(item)
            self.edit_own_uses(item.uses, moved)
        elif self.may_import:
            self._import(item, moved, item.bound)
            block.remove(item)
        elif not moved.label:
            return
        elif item.is_global:
            block.remove(item)
            self.unexported.append(item.bound)
            self.lookups.replace(item.uses, moved.label, item.bound)
        else:
            block.replace(item, f"{item.bound} = {self.lookups.lookup(moved.label)}")

    def edit_own_uses(self, uses: tuple[Any, ...], moved: MovedName) -> None:
        """Edit those that are evaluated before the end of the module, where the class now is."""
        early = [
            use
            for use in uses
            if deferring_function(self.source, use) is None and not is_annotation(self.source, use)
        ]
        self.lookups.replace(early, moved.label, moved.name)

    def _edit_attributes(self, item: Import, found: list[Any], moved: MovedName) -> None:
        source, block = self.source, self.block
        reached = {id(node) for node in found}
        is_last = all(self._leads_to(use, reached) for use in item.uses)
        name = self._free_name(moved)
        if self.defines:
            self.edit_own_uses(tuple(found), moved)
        elif self.may_import:
            for node in found:
                source.replace(node, name)
            self._import(item, moved, name)
        elif moved.label and item.is_global:
            self.lookups.replace(found, moved.label, name)
        elif moved.label:
            for node in found:
                source.replace(node, name)
            block.add_after(item, f"{name} = {self.lookups.lookup(moved.label)}")
        else:
            return
        if is_last:
            block.remove(item)

    def _import(self, item: Import, moved: MovedName, bound: str) -> None:
        """Import the name where an import of it, or of its module, is."""
        module = moved.module_for(self.source)
        asname = "" if bound == moved.name else bound
        line = self.source.parent(item.statement)
        if item.is_global and self.source.parent(line) is self.source.module:
            self.block.add(module, moved.name, asname)
        else:
            suffix = f" as {asname}" if asname else ""
            self.block.add_after(item, f"from {module} import {moved.name}{suffix}")

    def _leads_to(self, use: Any, reached: set[int]) -> bool:
        if id(use) in reached:
            return True
        outer = self.source.parent(use)
        return isinstance(outer, cst.Attribute) and self._leads_to(outer, reached)

    def _free_name(self, moved: MovedName) -> str:
        """Return the name, or another one if the module has something else of that name."""
        imported = any(item.origin in moved.old_paths for item in self.source.imports())
        if imported or self.defines or moved.name not in self.source.global_names():
            return moved.name
        app = moved.package.removesuffix(".models").rpartition(".")[2]
        return f"{''.join(part.title() for part in app.split('_'))}{moved.name}"
