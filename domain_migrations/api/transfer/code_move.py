"""The edits of the project's code that a model's move needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..source_code.blocker import Blocker
from ..source_code.file_changes import FileChange
from ..source_code.project_modules import Project
from ..source_code.source_editor import SourceEditor
from .by_hand import ByHand, relocated
from .field_edit import convert_fields
from .field_uses import uses_of
from .key_conversions import KeyConversion
from .model_move import ModelMove
from .sql_mentions import sql_mentions


@dataclass(frozen=True)
class CodeEdits:
    """The edits; nothing is written yet.

    Attributes:
        by_hand: lines that are not edited, or not as a person would.
    """

    changes: tuple[FileChange, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    blockers: tuple[Blocker, ...] = ()


def edit_code(move: ModelMove, conversions: Sequence[KeyConversion] = ()) -> CodeEdits:
    """Return the edits that move a class to the other app, with all that names it.

    Arguments:
        conversions: foreign keys that become references.
    """
    from ..source_code.syntax import CannotEdit
    from .class_transplant import ClassTransplant
    from .module_edits import ModuleEdits

    project, editor = Project(), SourceEditor()
    convert_fields(editor, conversions, project.style)
    path = Path(str(sys.modules[move.model.__module__].__file__))
    try:
        transplant = ClassTransplant(move, project, editor)
        transplant.run()
        edits = ModuleEdits(move, project, editor, transplant)
        edits.run()
    except CannotEdit as exc:
        blocker = Blocker(f"{path} {exc}.", f"Move the class {move.model.__name__} by hand.")
        return CodeEdits(blockers=(*editor.blockers, blocker))
    _set_line_breaks(editor, project.style.line_length)
    planned = {change.path: change.after for change in editor.changes}
    after = {path: content or b"" for path, content in planned.items()}
    moved_to = transplant.target.path
    found = (
        *relocated(transplant.by_hand, {moved_to: transplant.content}, after),
        *relocated(edits.by_hand, edits.contents, after),
        *uses_of(conversions, project.roots, planned),
        *sql_mentions(move, project, planned),
    )
    return CodeEdits(tuple(editor.changes), tuple(sorted(set(found))), tuple(editor.blockers))


def _set_line_breaks(editor: SourceEditor, line_length: int) -> None:
    from ..source_code.line_breaks import set_line_breaks

    for change in editor.changes:
        if change.before is not None and change.after is not None:
            try:
                before, after = change.before.decode(), change.after.decode()
            except UnicodeDecodeError:
                continue  # Its lines stay as they are, in whatever encoding.
            editor.write(change.path, set_line_breaks(before, after, line_length).encode())
