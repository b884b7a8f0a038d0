"""The names in a module's ``__all__``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import libcst as cst

from .module_source import ModuleSource
from .source_style import Style
from .syntax import assignment, text_of


def exported_names(source: ModuleSource) -> list[str] | None:
    """Return the names, or None for a module without a list of texts."""
    found = _list(source)
    return None if found is None else [text_of(item.value) or "" for item in found.elements]


def add_exports(source: ModuleSource, added: Iterable[str], style: Style) -> None:
    """Add names, at their places where the names are sorted; nothing without ``__all__``."""
    names = exported_names(source)
    new = [name for name in added if name not in (names or ())]
    if names is None or not new:
        return
    for order in (None, str.lower):
        if names == sorted(names, key=order):
            _write(source, sorted([*names, *new], key=order), style)
            return
    _write(source, [*names, *new], style)


def remove_exports(source: ModuleSource, removed: Collection[str], style: Style) -> None:
    """Remove those of the names that are there."""
    names = exported_names(source) or []
    kept = [name for name in names if name not in removed]
    if kept != names:
        _write(source, kept, style)


def _list(source: ModuleSource) -> Any:
    found = assignment(source.statements, "__all__")
    if found is None or not isinstance(found[1], cst.List | cst.Tuple):
        return None
    texts = [text_of(item.value) for item in found[1].elements]
    return None if None in texts else found[1]


def _write(source: ModuleSource, names: list[str], style: Style) -> None:
    node = _list(source)
    written = {text_of(item.value): source.text(item.value) for item in node.elements}
    quote = next(iter(written.values()), '"')[0]
    texts = [written.get(name, f"{quote}{name}{quote}") for name in names]
    start, end = _span(source, node)
    old = source.data[start:end].decode()
    if "#" in old:
        _edit_lines(source, node, names, quote)
        return
    left, right = "()" if isinstance(node, cst.Tuple) else "[]"
    has_magic_comma = old[:-1].rstrip().endswith(",") and "\n" in old
    comma = "," if left == "(" and len(texts) == 1 else ""
    line = f"{left}{', '.join(texts)}{comma}{right}"
    width = start - source.line_start(start) + len(line)
    if has_magic_comma or width > style.line_length:
        line = f"{left}\n" + "".join(f"    {text},\n" for text in texts) + right
    source.replace_span(start, end, line)


def _span(source: ModuleSource, node: Any) -> tuple[int, int]:
    """Return where a list is, with the brackets, which are not a part of a tuple."""
    start, end = source.span(node)
    if isinstance(node, cst.Tuple) and node.lpar:
        return source.data.rfind(b"(", 0, start), source.data.index(b")", end) + 1
    return start, end


def _edit_lines(source: ModuleSource, node: Any, names: list[str], quote: str) -> None:
    """Edit a list with comments name by name."""
    for item in node.elements:
        if text_of(item.value) not in names:
            start, end = source.span(item.value)
            rest = source.data[end:].lstrip()
            end += source.data[end:].find(b",") + 1 if rest.startswith(b",") else 0
            source.replace_span(start, end, "")
    added = [name for name in names if name not in (exported_names(source) or ())]
    last = node.elements[-1].value
    for name in added:
        source.insert(source.span(last)[1], f", {quote}{name}{quote}")
