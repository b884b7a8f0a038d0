"""The import of a draft's large modules piece by piece.

Compiling six megabytes at once takes a hundred, which the process then keeps. What cannot be
imported in pieces is left to Python and Django, which say what is wrong with it.
"""

from __future__ import annotations
import __future__

import importlib.util
import logging
import re
import sys
from pathlib import Path
from types import CodeType, ModuleType

from ...engine.sources.divided_source import LARGE, divide

logger = logging.getLogger(__name__)

FUTURE = "from __future__ import annotations\n"
CLASS = re.compile(r"^(?=class )", re.MULTILINE)


def import_models(label: str, folder: Path) -> None:
    """Import the models of a draft class by class, if they are many.

    Raises:
        Exception: whatever the module raises.
    """
    path = folder / "models.py"
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    if len(source) < LARGE or source.count("__future__") != source.count(FUTURE):
        return
    try:
        codes = _codes(
            source, path, __future__.annotations.compiler_flag if FUTURE in source else 0
        )
    except SyntaxError:
        return  # Something else is between two lines that look like the beginning of a class.
    name = f"{label}.models"
    module = _module(name)
    sys.modules[name] = module
    try:
        for code in codes:
            exec(code, vars(module))  # noqa: S102 (a part of the file, which would be imported)
    except BaseException:
        del sys.modules[name]
        raise


def import_migrations(label: str, folder: Path) -> None:
    """Import the large migrations of a draft operation by operation."""
    for path in sorted(folder.glob("migrations/*.py")):
        divided = divide(path.read_bytes())
        if divided is None:
            continue
        name = f"{label}.migrations.{path.stem}"
        module = _module(name)
        try:
            divided.execute(module)
        except Exception:
            logger.debug("%s is imported at once.", name, exc_info=True)
        else:
            sys.modules[name] = module


def _codes(source: str, path: Path, flags: int) -> list[CodeType]:
    codes: list[CodeType] = []
    line = 0
    for piece in CLASS.split(source):
        # So that a traceback has the numbers of the file's lines.
        text = "\n" * line + piece
        codes.append(compile(text, str(path), "exec", flags, dont_inherit=True))
        line += piece.count("\n")
    return codes


def _module(name: str) -> ModuleType:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name)
    return importlib.util.module_from_spec(spec)
