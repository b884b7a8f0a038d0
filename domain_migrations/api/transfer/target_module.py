"""The module of the target app that gets the class."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import libcst as cst
from django.apps.config import AppConfig
from django.utils.text import camel_case_to_spaces

from ..source_code.exports import add_exports
from ..source_code.import_block import ImportBlock
from ..source_code.module_source import ModuleSource
from ..source_code.source_editor import SourceEditor
from ..source_code.source_style import Style


@dataclass(frozen=True)
class TargetModule:
    """Where the class is written.

    Attributes:
        package: the app's ``models``.
        path: the file that gets the class; it may not exist yet.
        name: its dotted name.
        is_in_package: whether ``models`` is a package, which imports the class from there.
    """

    package: str
    path: Path
    name: str
    is_in_package: bool

    @cached_property
    def init(self) -> Path:
        return self.path.parent / "__init__.py"

    @property
    def is_relative(self) -> bool:
        """Whether modules of the package import from one another relatively."""
        if not self.is_in_package:
            return True
        text = self.init.read_text() if self.init.is_file() else ""
        absolute = re.search(rf"^from {re.escape(self.package)}\.", text, re.M)
        return absolute is None or re.search(r"^from \.", text, re.M) is not None

    def export(self, editor: SourceEditor, name: str, style: Style) -> None:
        """Import the class into the package, as it imports its other classes."""
        if not self.is_in_package:
            return
        source = ModuleSource(editor.content(self.init), self.package, is_package=True)
        block = ImportBlock(source, style)
        tail = self.name.rpartition(".")[2]
        module = f".{tail}" if self.is_relative else self.name
        froms = [
            line.body[0]
            for line in source.import_lines()
            if isinstance(line.body[0], cst.ImportFrom)
            and f"{source.absolute(line.body[0])}.".startswith(f"{self.package}.")
        ]
        stars = [node for node in froms if isinstance(node.names, cst.ImportStar)]
        block.add(module, "*" if froms and len(stars) == len(froms) else name)
        add_exports(source, [name], style)
        block.finish()
        editor.write(self.init, source.encode(source.edited_text()))


def find_target(
    config: AppConfig, class_name: str, source: Path, *, is_alone: bool
) -> TargetModule:
    """Return the module that gets a class.

    Arguments:
        source: the file that defines it now.
        is_alone: whether nothing else is in that file, whose name is kept then.
    """
    package = f"{config.name}.models"
    folder = Path(config.path)
    spec = importlib.util.find_spec(package)
    init = Path(spec.origin) if spec is not None and spec.origin else folder / "models.py"
    if init.name != "__init__.py":
        return TargetModule(package, init, package, False)
    stem = camel_case_to_spaces(class_name).replace(" ", "_")
    if is_alone and source.stem not in {"models", "__init__"}:
        stem = source.stem
    if not any(path.name != "__init__.py" for path in init.parent.glob("*.py")):
        return TargetModule(package, init, package, False)
    return TargetModule(package, init.parent / f"{stem}.py", f"{package}.{stem}", True)
