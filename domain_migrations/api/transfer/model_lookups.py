"""Uses of a model that a module may not import: it is looked up by name instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libcst as cst

from ..source_code.import_block import ImportBlock
from ..source_code.module_source import ModuleSource
from ..source_code.syntax import last_name

RELATION_ARGUMENTS = ("to", "through", "model")
RELATION_CLASS = re.compile(r"(Key|OneToOneField|ManyToManyField|Relation|Reference)$")
SIGNAL_FUNCTIONS = ("receiver", "connect", "disconnect")


class ModelLookups:
    """Replaces uses of a model: by its label, by ``apps.get_model()``, or by ``Any``.

    Arguments:
        block: gets the imports that this needs.
        is_early: whether the module is imported before the models are ready.
        home: the module that the uses are in afterwards, if it is another one.
        refuse: called with an expression that can be replaced by none of them.
        note: called with an annotation that is now ``Any``.
    """

    def __init__(
        self,
        source: ModuleSource,
        block: ImportBlock,
        *,
        is_early: bool,
        refuse: Callable[[Any], None],
        note: Callable[[Any], None],
        home: ModuleSource | None = None,
    ) -> None:
        self.source, self.block = source, block
        self.is_early, self.refuse, self.note = is_early, refuse, note
        self.home = home or source

    def replace(self, uses: Iterable[Any], label: str, name: str) -> None:
        """Replace the uses.

        Arguments:
            name: the variable that gets the model, where there is one.
        """
        source = self.source
        functions: dict[int, tuple[Any, list[Any]]] = {}
        others = []
        for use in uses:
            if is_annotation(source, use):
                self._annotate(use, name)
            elif is_relation(source, use) or _is_sender(source, use):
                source.replace(use, f'"{label}"')
            elif (function := deferring_function(source, use)) is None:
                others.append(use)
            elif not isinstance(function.body, cst.IndentedBlock):
                source.replace(use, self.lookup(label))
            else:
                functions.setdefault(id(function), (function, []))[1].append(use)
        if others and self.is_early:
            for use in others:
                self.refuse(use)
        elif others:
            self.block.add_below(f"{name} = {self.lookup(label)}")
        for function, found in functions.values():
            for use in found:
                if not isinstance(use, cst.Name):
                    source.replace(use, name)
            if not others or self.is_early:
                self._assign_in(function, label, name)
        for use in others:
            if not isinstance(use, cst.Name):
                source.replace(use, name)

    def lookup(self, label: str) -> str:
        """Return the expression that looks the model up."""
        app, _, model = label.partition(".")
        return (
            f'{self._imported("django.apps", "apps", "django_apps")}.get_model("{app}", "{model}")'
        )

    def _imported(self, module: str, name: str, other: str) -> str:
        """Import a name, unless it is imported; return how it is called."""
        for item in self.home.imports():
            if item.is_global and item.origin == f"{module}.{name}":
                return item.bound
        is_free = name not in self.home.global_names()
        self.block.add(module, name, "" if is_free else other)
        return name if is_free else other

    def _annotate(self, use: Any, name: str) -> None:
        anything = self._imported("typing", "Any", "AnyModel")
        if isinstance(use, cst.Name | cst.Attribute):
            self.source.replace(use, anything)
        else:
            written = rf"\b(?:\w+\.)*{re.escape(name)}\b"
            self.source.replace(use, re.sub(written, anything, self.source.text(use)))
        self.note(use)

    def _assign_in(self, function: Any, label: str, name: str) -> None:
        source = self.source
        body = function.body.body
        first = body[1] if function.get_docstring() is not None and len(body) > 1 else body[0]
        start = source.line_start(source.span(first)[0])
        indent = re.match(rb"[ \t]*", source.data[start:])
        written = indent[0].decode() if indent else ""
        source.insert(source.comment_start(first), f"{written}{name} = {self.lookup(label)}\n")


def is_annotation(source: ModuleSource, use: Any) -> bool:
    """Return whether an expression is used as a type only."""
    for ancestor in source.ancestors(use):
        if isinstance(ancestor, cst.Annotation):
            return True
        if isinstance(ancestor, cst.BaseStatement):
            return False
    return isinstance(use, cst.SimpleString | cst.ConcatenatedString)


def is_relation(source: ModuleSource, use: Any) -> bool:
    """Return whether an expression is what a field of a class relates to.

    A text is one only where the field's class says so by its name.
    """
    found = source.parent(use)
    if not isinstance(found, cst.Arg):
        return False
    call = source.parent(found)
    if not isinstance(call, cst.Call):
        return False
    is_first = call.args[0] is found and found.keyword is None
    if isinstance(use, cst.SimpleString) and not RELATION_CLASS.search(last_name(call.func)):
        return False
    named = found.keyword is not None and found.keyword.value in RELATION_ARGUMENTS
    assignment = source.parent(call)
    if not (is_first or named) or not isinstance(assignment, cst.Assign | cst.AnnAssign):
        return False
    line = source.parent(assignment)
    block = source.parent(line)
    return isinstance(source.parent(block), cst.ClassDef)


def _is_sender(source: ModuleSource, use: Any) -> bool:
    """Return whether a signal of Django's is connected for the model, which takes its label."""
    found = source.parent(use)
    if not isinstance(found, cst.Arg) or found.keyword is None or found.keyword.value != "sender":
        return False
    call = source.parent(found)
    return isinstance(call, cst.Call) and last_name(call.func) in SIGNAL_FUNCTIONS


def deferring_function(source: ModuleSource, use: Any) -> Any:
    """Return the outermost function or lambda that evaluates the expression when it is called."""
    found = None
    for inner, outer in _steps(source, use):
        if isinstance(outer, cst.FunctionDef | cst.Lambda) and inner is outer.body:
            found = outer
    return found


def _steps(source: ModuleSource, node: Any) -> Iterator[tuple[Any, Any]]:
    for outer in source.ancestors(node):
        yield node, outer
        node = outer
