"""The seeds of a model that moves: whole files, entries of files, and what people have to edit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.db.models import Model

from ...domains import QualifiedName, get_domains
from ..seed.document import CORE_KEY, TAGS_KEY
from ..seed.readers import header_of, read
from ..seed.readers.csv import MODEL_KEY
from ..seed.seed_files import SeedFile, seed_files, seeds_folder
from ..source_code.blocker import Blocker
from ..source_code.source_editor import SourceEditor
from .by_hand import ByHand
from .model_move import ModelMove
from .seed_entries import FORMATS, SeedEntry

ELSEWHERE = "the seed names the model, which another domain will have"
IN_BRACES = "move the model's rows to a seed of the other app"
WRITES_CORE = f"the seed writes to core: {CORE_KEY} = True"
CSV_MODEL = re.compile(rf"^(#\s*{MODEL_KEY}\s*:\s*)(\S+)", re.MULTILINE)
NAMING = ("get_model", "upsert")
"""The methods of a seed's context that take a model's name."""


class SeedMove:
    """Plans what becomes of the seeds that write a model's table, or read it.

    Data files of its own domain move to the new app, under the same name if it is free, by which
    the database knows them; a file with other models gives its entry away. Other seeds name the
    new model, where they may.

    Arguments:
        editor: has the edits of the code, and collects those of the seeds.

    Attributes:
        data: the data files that have rows of the model.
    """

    def __init__(self, move: ModelMove, editor: SourceEditor) -> None:
        self.move = move
        self.editor = editor
        self.data: set[Path] = set()
        self.by_hand: list[ByHand] = []

    def plan(self) -> None:
        """Plan it all.

        Raises:
            SeedFailed: a seed cannot be read.
        """
        for domain in get_domains():
            is_own = domain.name == self.move.source_domain.name
            may_name = domain.name == self.move.target_domain.name or (
                self.move.target_domain.is_core
            )
            for seed in seed_files(domain):
                if seed.is_python:
                    self._edit_python(seed, is_own=is_own, may_name=may_name)
                else:
                    self._edit_data(seed, is_own=is_own, may_name=may_name)

    def _edit_data(self, seed: SeedFile, *, is_own: bool, may_name: bool) -> None:
        default = seed.path.stem.partition("_")[2]
        lines = {table.model or default: table.line for table in read(seed).tables}
        found = [name for name in lines if self._is_model(name, is_own=is_own)]
        if not found:
            return
        self.data.add(seed.path)
        if is_own:
            self._give_away(seed, found[0], has_others=len(lines) > 1)
        elif may_name:
            self.editor.write(seed.path, self._renamed(seed, found[0]).encode())
        else:
            self._leave(seed, lines[found[0]], ELSEWHERE)

    def _give_away(self, seed: SeedFile, name: str, *, has_others: bool) -> None:
        path = self._free_path(seed)
        if path is None:
            return
        renamed = self._renamed(seed, name)
        if not has_others:
            self.editor.write(path, renamed.encode())
            self.editor.delete(seed.path)
            return
        form = FORMATS[seed.path.suffix]
        text = _text_of(seed)
        entries = {entry.name: entry for entry in form.entries(text)}
        if name not in entries:
            self._leave(seed, 1, IN_BRACES)
            return
        left = form.without(text, list(entries.values()), entries[name])
        kept = [entry for entry in form.entries(renamed) if self._goes_along(entry)]
        given = form.of(renamed[entry.start : entry.end] for entry in kept)
        self.editor.write(seed.path, left.encode())
        self.editor.write(path, given.encode())

    def _free_path(self, seed: SeedFile) -> Path | None:
        """Return where a seed goes: under its name, or that of the table if it is taken.

        A seed under another name runs once more, and changes no rows.
        """
        folder = seeds_folder(self.move.target.label)
        table = QualifiedName.of(self.move.model._meta.db_table).name
        named = f"{seed.name.partition('_')[0]}_{table}{seed.path.suffix}"
        for name in (seed.name, named):
            if not (folder / name).exists():
                return folder / name
        self.editor.blockers.append(
            Blocker(
                f"{seed} has rows of {self.move.old_label}, and {self.move.target.label} has seeds"
                f" of the names {seed.name} and {named} already.",
                "Rename one of them; a seed that runs again changes no rows.",
            )
        )
        return None

    def _goes_along(self, entry: SeedEntry) -> bool:
        return (
            entry.name == TAGS_KEY
            or self._is_model(entry.name, is_own=True)
            or (entry.name == self.move.new_label)
        )

    def _renamed(self, seed: SeedFile, name: str) -> str:
        """Return a data file that names the new model, if it names the old one with its app."""
        text = _text_of(seed)
        if "." not in name:
            return text
        if seed.path.suffix not in FORMATS:
            return CSV_MODEL.sub(rf"\g<1>{self.move.new_label}", text, count=1)
        found = [each for each in FORMATS[seed.path.suffix].entries(text) if each.name == name]
        return found[0].renamed(text, self.move.new_label) if found else text

    def _edit_python(self, seed: SeedFile, *, is_own: bool, may_name: bool) -> None:
        source = self.editor.content(seed.path)
        lines, new_label = source.splitlines(keepends=True), self.move.new_label.encode()
        for call, name in sorted(_names_in(source), key=lambda found: -found[1].lineno):
            is_new = name.value == self.move.new_label  # as the code's edits have left it
            if not is_new and not self._is_model(str(name.value), is_own=is_own):
                continue
            if not may_name:
                self._leave(seed, name.lineno, ELSEWHERE)
                continue
            line, start, end = lines[name.lineno - 1], name.col_offset, name.end_col_offset
            quoted = line[start:end].replace(str(name.value).encode(), new_label)
            lines[name.lineno - 1] = line[:start] + quoted + line[end:]
            is_writing = call == "upsert" and self.move.target_domain.is_core and is_own
            if is_writing and not header_of(seed).writes_core:
                self._leave(seed, name.lineno, WRITES_CORE)
        self.editor.write(seed.path, b"".join(lines))

    def _is_model(self, name: str, *, is_own: bool) -> bool:
        return _names(name, self.move.model, is_own=is_own)

    def _leave(self, seed: SeedFile, line: int, reason: str) -> None:
        source = self.editor.content(seed.path).decode("utf-8-sig")
        text = source.splitlines()[line - 1].strip()
        self.by_hand.append(ByHand(seed.path, line, text, reason))


def _names(name: str, model: type[Model], *, is_own: bool) -> bool:
    """Return whether a seed's name of a table is a model's; mirrors ``model_of``."""
    options = model._meta
    if "." in name:
        return name.lower() == options.label_lower
    table = QualifiedName.of(options.db_table).name
    return is_own and name.lower() in (options.model_name, table.lower())


def _text_of(seed: SeedFile) -> str:
    return seed.path.read_bytes().decode("utf-8-sig")


def _names_in(source: bytes) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the names of models that a seed in Python passes to its context, with the method."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in NAMING or not node.args:
            continue
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield node.func.attr, name
