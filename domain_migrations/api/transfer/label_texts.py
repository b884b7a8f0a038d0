"""Texts that name a model by its label, and texts that name what Django derives from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import libcst as cst

from ..source_code.module_source import ModuleSource
from ..source_code.project_modules import Project, ProjectModule
from ..source_code.syntax import argument, last_name, text_of
from .by_hand import ByHand
from .model_lookups import is_relation
from .model_move import ModelMove
from .moved_names import MovedName

OTHER_FILES = (
    ".html", ".txt", ".xml", ".jinja", ".jinja2", ".j2", ".json", ".jsonl", ".yaml", ".yml",
    ".toml", ".cfg", ".ini", ".csv",
)  # fmt: skip
PERMISSION = "the permission is {new} after the move"
URL_NAME = "the admin's URL names begin with {new} after the move"
PAIR = "the content type is {new} after the move"
LABEL = "the model is {new} after the move"
DYNAMIC = "the app is {new} after the move, if the model is meant"
ATTRIBUTE = "the class is in {new} after the move, if it is meant"


@dataclass(frozen=True)
class LabelTexts:
    """The texts by which code names the model that moves."""

    move: ModelMove
    moved: MovedName

    def edit(self, source: ModuleSource, module: ProjectModule) -> Iterator[ByHand]:
        """Edit the texts that surely name the model, and yield the lines of others."""
        for node in source.nodes(cst.SimpleString):
            text = text_of(node)
            if text is None or is_docstring(source, node):
                continue
            if new := self._replacement(source, node, text, module):
                _replace_text(source, node, text, new)
            elif reason := self._reason(source, node, text):
                yield self._by_hand(source, module, node, reason)
        for computed in source.nodes(cst.FormattedString):
            written = source.text(computed)
            call = _call_of(source, computed)
            is_lookup = call is not None and last_name(call.func) == "get_model"
            if is_lookup and re.search(rf"\b{re.escape(self._old_app)}\.\{{", written):
                yield self._by_hand(source, module, computed, DYNAMIC.format(new=self._new_app))
            elif reason := self._derived(written):
                yield self._by_hand(source, module, computed, reason)

    def other_files(self, project: Project) -> Iterator[ByHand]:
        """Yield the lines of templates, fixtures and the like that name the model."""
        label = re.compile(rf"(?<![\w.]){re.escape(self.move.old_label)}(?!\w)", re.I)
        for path in project.files(OTHER_FILES):
            content = path.read_bytes().decode("utf-8", "replace")
            if self._old_app not in content:
                continue
            found: dict[str, list[tuple[int, str]]] = {}
            for number, line in enumerate(content.splitlines(), 1):
                reason = self._derived(line)
                if not reason and label.search(line):
                    reason = LABEL.format(new=self.move.new_label)
                if reason:
                    found.setdefault(reason, []).append((number, line.strip()[:200]))
            for reason, lines in found.items():
                count = f" ({len(lines)} lines, this is the first)" if len(lines) > 1 else ""
                yield ByHand(path, *lines[0], f"{reason}{count}")

    # What a text is

    def _replacement(
        self, source: ModuleSource, node: Any, text: str, module: ProjectModule
    ) -> str:
        """Return the text afterwards; empty for one that stays, or that people have to judge."""
        if text.lower() == self.move.old_label.lower():
            return f"{self._new_app}{text[len(self._old_app) :]}"
        for path in self.moved.old_paths:
            if text == path or text.startswith(f"{path}."):
                return f"{self.moved.package}.{self._name}{text[len(path) :]}"
        call = _call_of(source, node)
        if call is None:
            return ""
        is_here = module.app is not None and module.app.label == self._old_app
        if text == self._name and is_here:
            is_seed = "seeds" in module.path.parts and last_name(call.func) == "get_model"
            if is_relation(source, node) or (is_seed and len(call.args) == 1):
                return self.move.new_label
        if last_name(call.func) == "get_model" and text == self._old_app:
            model = text_of(argument(call, "model_name", 1))
            is_app = argument(call, "app_label", 0) is node
            if is_app and model is not None and model.lower() == self._name.lower():
                return self._new_app
        return ""

    def _reason(self, source: ModuleSource, node: Any, text: str) -> str:
        if reason := self._derived(text):
            return reason
        call = _call_of(source, node)
        if call is None:
            return ""
        texts = [text_of(item.value) for item in call.args]
        if text == self._old_app:
            if any(each and each.lower() == self._name.lower() for each in texts):
                return PAIR.format(new=self.move.new_label.lower())
            model = argument(call, "model_name", 1)
            if last_name(call.func) == "get_model" and model is not None and text_of(model) is None:
                return DYNAMIC.format(new=self._new_app)
        written = source.text(call.func)
        if text.lower() == self._name.lower() and "get_app_config(" in written:
            return DYNAMIC.format(new=self._new_app)
        if text == self._name and last_name(call.func) == "getattr":
            return ATTRIBUTE.format(new=self.moved.package)
        return ""

    def _derived(self, text: str) -> str:
        """Return why a text names a permission, a URL or a table of the model; empty if not."""
        if self._permissions.search(text):
            return PERMISSION.format(new=f"{self._new_app}.…_{self._name.lower()}")
        if self._url_names.search(text):
            return URL_NAME.format(new=f"{self._new_app}_{self._name.lower()}_")
        return ""

    @cached_property
    def _permissions(self) -> re.Pattern[str]:
        options = self.move.model._meta
        names = [f"{action}_{options.model_name}" for action in options.default_permissions]
        names += [codename for codename, _ in options.permissions]
        joined = "|".join(map(re.escape, names)) or "(?!)"
        return re.compile(rf"(?<!\w){re.escape(self._old_app)}\.({joined})(?!\w)")

    @cached_property
    def _url_names(self) -> re.Pattern[str]:
        app, model = re.escape(self._old_app), re.escape(self._name.lower())
        views = "add|change|changelist|delete|history"
        return re.compile(
            rf"(?<![a-z0-9_]){app}_{model}_(?:{views})(?!\w)|:{app}_{model}_|/{app}/{model}/"
        )

    def _by_hand(
        self, source: ModuleSource, module: ProjectModule, node: Any, reason: str
    ) -> ByHand:
        start = source.line_start(source.span(node)[0])
        line = source.data[start : source.line_end(start)].decode().strip()
        return ByHand(module.path, source.line(node), line, reason)

    @property
    def _name(self) -> str:
        return self.moved.name

    @property
    def _old_app(self) -> str:
        return self.move.source.label

    @property
    def _new_app(self) -> str:
        return self.move.target.label


def is_docstring(source: ModuleSource, node: Any) -> bool:
    """Return whether a text is a statement of its own."""
    return isinstance(source.parent(node), cst.Expr)


def _replace_text(source: ModuleSource, node: Any, old: str, new: str) -> None:
    """Replace a literal's text, with the quotes that it has."""
    written = source.text(node)
    source.replace(node, written.replace(old, new, 1) if old in written else f'"{new}"')


def _call_of(source: ModuleSource, node: Any) -> Any:
    """Return the call that a text is an argument of."""
    found = source.parent(node)
    call = source.parent(found) if isinstance(found, cst.Arg) else None
    return call if isinstance(call, cst.Call) else None
