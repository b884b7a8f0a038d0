"""The edits of all modules that use what moves."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import libcst as cst

from ..source_code.blocker import Blocker
from ..source_code.import_block import ImportBlock
from ..source_code.module_source import ModuleSource
from ..source_code.project_modules import Project, ProjectModule, may_import
from ..source_code.source_editor import SourceEditor
from ..source_code.syntax import CannotEdit
from .by_hand import ByHand
from .class_transplant import ClassTransplant
from .divided_module import DividedModule
from .dotted_path import app_of_module
from .label_texts import LabelTexts
from .model_lookups import ModelLookups
from .model_move import ModelMove
from .moved_names import KEPT, MovedName, NameEdits


class ModuleEdits:
    """Edits the module that the class leaves, and all others that name it.

    Attributes:
        contents: file → what was in it before.
        is_deleted: whether nothing is left of the module that the class leaves.
        by_hand: lines, with their numbers in these contents.
    """

    def __init__(
        self, move: ModelMove, project: Project, editor: SourceEditor, transplant: ClassTransplant
    ) -> None:
        self.move, self.project, self.editor = move, project, editor
        self.transplant = transplant
        self.names = transplant.names
        self.texts = LabelTexts(move, self.names[0])
        self.by_hand: list[ByHand] = []
        self.is_deleted = False
        self.contents: dict[Path, bytes] = {transplant.path: transplant.content}

    def run(self) -> None:
        self._edit_former()
        for module in self.project.modules():
            content = self.editor.content(module.path)
            if module.path == self.transplant.path or not self._is_concerned(content):
                continue
            try:
                source = ModuleSource(content, module.name, is_package=module.is_package)
            except CannotEdit as exc:
                self.by_hand.append(ByHand(module.path, 1, "", f"the file {exc}"))
                continue
            self.contents[module.path] = content
            self._edit(source, module)
        self.by_hand += self.texts.other_files(self.project)

    def _is_concerned(self, content: bytes) -> bool:
        is_star = self.is_deleted and b"import *" in content
        return is_star or self._mention.search(content) is not None

    @cached_property
    def _mention(self) -> re.Pattern[bytes]:
        """Matches whatever may have to be edited."""
        app, model = (
            re.escape(name) for name in (self.move.source.label, self.move.model.__name__)
        )
        names = "|".join(re.escape(moved.name) for moved in self.names)
        quoted = f"[\"']{app}[\"']"
        return re.compile(
            rf"\b(?:{names})\b"
            rf"|(?i:\b{app}[./_](?:\w+_)?{model}|{quoted}\s*,[^)]*{model})"
            rf"|get_model\(\s*(?:{quoted}\s*,\s*[^\"'\s]|f.{app}\.\{{)".encode()
        )

    def _edit(self, source: ModuleSource, module: ProjectModule) -> None:
        edits = self._name_edits(source, module)
        for moved in self.names:
            edits.edit(moved)
        self.by_hand += self.texts.edit(source, module)
        if self.is_deleted:
            self._delete_stars(source)
        edits.finish()
        if source.is_edited:
            self.editor.write(module.path, source.encode(source.edited_text()))

    def _delete_stars(self, source: ModuleSource) -> None:
        """Delete the imports of everything from the module that is deleted."""
        for node in source.nodes(cst.ImportFrom):
            if isinstance(node.names, cst.ImportStar) and (
                source.absolute(node) == self.transplant.module.name
            ):
                start, end = source.span(node)
                source.replace_span(source.line_start(start), source.line_end(end), "")

    def _name_edits(self, source: ModuleSource, module: ProjectModule) -> NameEdits:
        block = ImportBlock(source, self.project.style)
        lookups = ModelLookups(
            source,
            block,
            is_early=_is_early(module),
            refuse=lambda use: self._refuse(source, module, use),
            note=lambda use: self._note(source, module, use),
        )
        return NameEdits(
            source,
            block,
            self.project.style,
            lookups,
            may_import=may_import(module.app, self.move.target),
            defines=module.path == self.transplant.target.path,
        )

    # The module that the class leaves

    def _edit_former(self) -> None:
        divided, module = self.transplant.divide(), self.transplant.module
        source = divided.source
        edits = self._name_edits(source, module)
        for item in divided.removed:
            self._remove(divided, item)
        for moved in self.names:
            self._edit_former_uses(divided, edits, moved)
        for imported in divided.imports:
            if imported.uses and all(map(divided.is_removed, imported.uses)):
                edits.block.remove(imported)
        self.by_hand += (
            each
            for each in self.texts.edit(source, module)
            if not divided.is_removed_line(each.line)
        )
        edits.finish()
        text = source.edited_text().rstrip()
        path = self.transplant.path
        if self._is_left_empty(text):
            self.editor.delete(path)
            self.is_deleted = True
        else:
            newline = source.module.default_newline if text else ""
            self.editor.write(path, source.encode(f"{text}{newline}"))

    def _edit_former_uses(self, divided: DividedModule, edits: NameEdits, moved: MovedName) -> None:
        (item,) = (each for each in divided.removed if moved.name in each.names)
        uses = divided.outer_uses(item, moved.name)
        is_kept = f"{divided.source.name}.{moved.name}" in moved.kept_paths
        if not is_kept:
            edits.unexported.append(moved.name)
        if edits.may_import and uses:
            edits.block.add(moved.module_for(divided.source), moved.name)
        elif edits.may_import and is_kept:
            edits.block.add(moved.module_for(divided.source), moved.name, comment=KEPT)
        elif is_kept:
            self.editor.blockers.append(
                Blocker(
                    f"Migrations import {moved.name} from {divided.source.name}, which may not"
                    f" import it from {self.move.target.label}.",
                    "Define what they need in another module of the app, and let them import it"
                    " from there, before.",
                )
            )
        elif moved.label:
            edits.lookups.replace(uses, moved.label, moved.name)

    def _remove(self, divided: DividedModule, item: Any) -> None:
        source = divided.source
        start, end = divided.span(item)
        before, after = start, end
        while before and not source.data[source.line_start(before - 1) : before].strip():
            before = source.line_start(before - 1)
        while after < len(source.data) and not source.data[after : source.line_end(after)].strip():
            after = source.line_end(after)
        # The wider of the two gaps stays: a class needs two lines, a constant may have none.
        if source.data[before:start].count(b"\n") >= source.data[end:after].count(b"\n"):
            source.replace_span(start, after, "")
        else:
            source.replace_span(before, end, "")

    def _is_left_empty(self, text: str) -> bool:
        """Return whether nothing is left in a module that nothing needs to exist."""
        if self.transplant.path.name in {"__init__.py", "models.py"}:
            return False
        return (
            all(
                isinstance(line, cst.SimpleStatementLine)
                and all(
                    isinstance(small, cst.Import | cst.ImportFrom)
                    or (isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString))
                    for small in line.body
                )
                for line in cst.parse_module(text).body
            )
            and KEPT not in text
        )

    # Messages

    def _refuse(self, source: ModuleSource, module: ProjectModule, use: Any) -> None:
        owner = module.app.label if module.app is not None else module.name
        self.editor.blockers.append(
            Blocker(
                f"{module.path}:{source.line(use)} uses {source.text(use)} when it is imported,"
                f" and {owner} may not import {self.move.target.label}.",
                "Look it up in a function with apps.get_model(), or remove it, before.",
            )
        )

    def _note(self, source: ModuleSource, module: ProjectModule, use: Any) -> None:
        start = source.span(use)[0]
        line = source.data[source.line_start(start) : source.line_end(start)].decode().strip()
        self.by_hand.append(
            ByHand(
                module.path,
                source.line(use),
                line,
                f"{source.text(use)} cannot be imported; the annotation is Any",
            )
        )


def _is_early(module: ProjectModule) -> bool:
    """Return whether the module is imported before all models are."""
    app = app_of_module(module.name)
    return app is not None and f"{module.name}.".startswith(f"{app.name}.models.")
