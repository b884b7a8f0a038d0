"""Lines of SQL that name a table where it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...domains import CORE_SCHEMA, QualifiedName
from ..source_code.mentions import lines_naming
from ..source_code.project_modules import Project
from .by_hand import ByHand
from .model_move import ModelMove

REASON = "the table is {} after the move"


def sql_mentions(
    move: ModelMove, project: Project, planned: Mapping[Path, bytes | None]
) -> Iterator[ByHand]:
    """Yield the lines of SQL in Python, and in files of SQL, that name a table which moves.

    Migrations are left out: those of today have run by then.

    Arguments:
        planned: the contents of the files that are edited, as they will be; None if deleted.
    """
    for old, new in move.tables.items():
        pattern = _pattern(QualifiedName.of(old))
        reason = REASON.format(QualifiedName.of(new))
        for path in sorted({*project.files((".py", ".sql")), *planned}):
            content = planned[path] if path in planned else path.read_bytes()
            if content is None or path.suffix not in (".py", ".sql"):
                continue
            for number, line in _lines(pattern, path, content):
                yield ByHand(path, number, line, reason)


def _lines(pattern: re.Pattern[str], path: Path, content: bytes) -> Iterator[tuple[int, str]]:
    if path.suffix == ".py":
        for number, _, line in lines_naming(pattern, content):
            yield number, line
        return
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if pattern.search(line):
            yield number, line.strip()


def _pattern(table: QualifiedName) -> re.Pattern[str]:
    """Return what finds the table's name; a table of core may be named without its schema."""
    schema, name = re.escape(table.schema), re.escape(table.name)
    bare = r'|(?<![\w.])(?<!\.")' if table.schema == CORE_SCHEMA else ""
    return re.compile(rf'(?:\b{schema}"?\."?{bare}){name}(?!\w)', re.I)
