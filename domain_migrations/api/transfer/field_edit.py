"""Edits of foreign keys in model classes that become references, made with libcst."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import libcst as cst
from django.apps import apps
from django.db.models import Model

from ...engine.messages import shortened
from ...fields import FOREIGN_KEY_ARGUMENTS, DomainReference
from ..source_code.blocker import Blocker
from ..source_code.class_editor import ClassEditor
from ..source_code.exports import exported_names
from ..source_code.import_block import ImportBlock
from ..source_code.module_source import ModuleSource
from ..source_code.source_editor import SourceEditor
from ..source_code.source_style import Style
from ..source_code.syntax import (
    CannotEdit,
    appended,
    argument,
    as_block,
    assignment,
    last_name,
    text_of,
)
from .key_conversions import KeyConversion

MODULE, CLASS = "domain_migrations.fields", DomainReference.__name__
DEFAULT_STYLE = Style()
KEY_CLASSES = ("ForeignKey", "OneToOneField")
DROPPED = {*FOREIGN_KEY_ARGUMENTS, "db_index", "db_column", "unique"} - {"to"}
"""The arguments that are left out, or written again."""

NAMED = ("fields", "include", "condition", "check", "expressions")
"""The arguments of indexes and constraints in which texts are names of fields."""


def convert_fields(
    editor: SourceEditor, conversions: Sequence[KeyConversion], style: Style = DEFAULT_STYLE
) -> None:
    """Replace foreign keys with references in the classes that declare them.

    What inherits a field from an abstract class gets the reference from it, too.
    """
    converted = {(each.model, each.field) for each in conversions}
    done = set[tuple[type[Model], str]]()
    for conversion in conversions:
        by_hand, owner = written_reference(conversion), declaring_class(conversion)
        if owner is None:
            message = f"No class in a file declares {conversion}."
            editor.blockers.append(Blocker(message, f"Write it by hand: {by_hand}."))
            continue
        if (owner, conversion.field) in done:
            continue
        done.add((owner, conversion.field))
        if kept := [
            each for each in _models_of(owner) if (each, conversion.field) not in converted
        ]:
            names = shortened([each._meta.label for each in kept])
            message = f"{owner.__name__}.{conversion.field} is a foreign key of {names}, too."
            hint = f"Declare it in {conversion.model.__name__} itself, and run the command again."
            editor.blockers.append(Blocker(message, hint))
            continue
        editor.edit(_path(owner), _edit_of(owner.__qualname__, conversion, style), by_hand)


def _edit_of(class_name: str, conversion: KeyConversion, style: Style) -> Callable[[bytes], bytes]:
    return lambda source: edit_field(source, class_name, conversion, style)


def declaring_class(conversion: KeyConversion) -> type[Model] | None:
    """Return the class whose source declares a field: the model, or one that it inherits from."""
    for model in conversion.model.__mro__:
        if not (issubclass(model, Model) and hasattr(model, "_meta")):
            continue
        try:
            module = cst.parse_module(_path(model).read_bytes())
        except (TypeError, OSError, cst.ParserSyntaxError):
            continue
        if assignment(_body(module, model.__qualname__), conversion.field) is not None:
            return model
    return None


def _path(model: type[Model]) -> Path:
    return Path(inspect.getfile(sys.modules[model.__module__]))


def _models_of(owner: type[Model]) -> list[type[Model]]:
    """Return the models that have the fields of a class."""
    if not owner._meta.abstract:
        return [owner]
    return [model for model in apps.get_models() if issubclass(model, owner)]


def _body(module: cst.Module, class_name: str) -> Sequence[Any]:
    """Return the statements of a class; none if the module does not show it."""
    statements: Sequence[Any] = module.body
    for name in class_name.split("."):
        found = [
            each
            for each in statements
            if isinstance(each, cst.ClassDef) and each.name.value == name
        ]
        if not found:
            return ()
        statements = as_block(found[-1]).body.body
    return statements


def written_reference(conversion: KeyConversion) -> str:
    """Return the line of the reference, for people."""
    extras = "".join(f", {name}={value!r}" for name, value in _extras(conversion).items())
    return f'{conversion.new_name} = {CLASS}("{conversion.to}"{extras})'


def _extras(conversion: KeyConversion) -> dict[str, Any]:
    """Return the arguments of the reference that a foreign key has without saying so."""
    reference: Any = conversion.reference
    found: dict[str, Any] = {"db_column": reference.db_column} if reference.db_column else {}
    for name in ("unique", "db_index"):
        if getattr(reference, "_unique" if name == "unique" else name):
            found[name] = True
    return found


def edit_field(
    source: bytes, class_name: str, conversion: KeyConversion, style: Style = DEFAULT_STYLE
) -> bytes:
    """Return the source in which a foreign key of a class is a reference, also in its Meta.

    Comments, layout and the arguments that both have stay.

    Arguments:
        class_name: the class's qualified name.
        style: the layout of the imports.

    Raises:
        CannotEdit: the field is not in the source, or it is computed.
    """
    editor = _FieldEditor(class_name, conversion)
    module = cst.parse_module(source).visit(editor)
    if not editor.found:
        raise CannotEdit(f"does not define the field {conversion.field} of {class_name}")
    return _with_imports(module.bytes, editor.target, style)


class _FieldEditor(ClassEditor):
    def __init__(self, class_name: str, conversion: KeyConversion) -> None:
        super().__init__()
        self.class_name, self.conversion = class_name, conversion
        self.found, self.target = False, ""

    def edit_body(self, name: str, model: Any, statements: list[Any]) -> None:
        if name != self.class_name:
            return
        found = assignment(statements, self.conversion.field)
        if found is None:
            return
        self.found = True
        place, call = found
        statements[place] = self._converted(statements[place], call)
        for number, statement in enumerate(statements):
            if isinstance(statement, cst.ClassDef) and statement.name.value == "Meta":
                statements[number] = statement.visit(_MetaEditor(self.conversion))

    def _converted(self, statement: Any, call: Any) -> Any:
        conversion = self.conversion
        if not isinstance(call, cst.Call) or last_name(call.func) not in KEY_CLASSES:
            raise CannotEdit(f"computes the field {conversion.field} of {self.class_name}")
        if any(each.star for each in call.args) or len(statement.body) != 1:
            raise CannotEdit(f"spreads the field {conversion.field} of {self.class_name}")
        target = argument(call, "to", 0)
        self.target = target.value if isinstance(target, cst.Name) else ""
        small = cst.Assign([cst.AssignTarget(cst.Name(conversion.new_name))], self._reference(call))
        return statement.with_changes(
            body=[small.with_changes(semicolon=statement.body[0].semicolon)]
        )

    def _reference(self, call: Any) -> Any:
        label = cst.SimpleString(f'"{self.conversion.to}"')
        kept: list[Any] = []
        for number, each in enumerate(call.args):
            name = each.keyword.value if each.keyword else ("to" if not number else "")
            if name == "to":
                kept.insert(0, each.with_changes(value=label))
            elif name and name not in DROPPED:
                kept.append(each)
        last = call.args[-1]
        if kept[-1].comma is not last.comma:
            kept[-1] = kept[-1].with_changes(
                comma=last.comma, whitespace_after_arg=last.whitespace_after_arg
            )
        args = kept
        for name, value in _extras(self.conversion).items():
            added = cst.Arg(
                cst.parse_expression(repr(value).replace("'", '"')),
                keyword=cst.Name(name),
                equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
            )
            args = appended(args, added, call.whitespace_before_args)
        return call.with_changes(func=cst.Name(CLASS), args=args)


class _MetaEditor(cst.CSTTransformer):
    """Gives the field its new name in the options of a model."""

    def __init__(self, conversion: KeyConversion) -> None:
        super().__init__()
        self.old, self.new = conversion.field, conversion.new_name

    def visit_Assign(self, node: cst.Assign) -> bool:  # noqa: N802
        options = (
            "indexes",
            "constraints",
            "unique_together",
            "index_together",
            "ordering",
            "get_latest_by",
            "order_with_respect_to",
        )
        return any(last_name(each.target) in options for each in node.targets)

    def visit_Arg(self, node: cst.Arg) -> bool:  # noqa: N802
        # The name of an index, or a message, may be the same word.
        name = node.keyword.value if node.keyword else ""
        return not name or name in NAMED or not isinstance(node.value, cst.SimpleString)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:  # noqa: N802
        keyword = updated_node.keyword
        if keyword is None or not self._names_field(keyword.value):
            return updated_node
        return updated_node.with_changes(keyword=cst.Name(self._renamed(keyword.value)))

    def leave_SimpleString(  # noqa: N802
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        text = text_of(updated_node)
        if text is None or not self._names_field(text.removeprefix("-")):
            return updated_node
        return updated_node.with_changes(
            value=updated_node.value.replace(text, self._renamed(text), 1)
        )

    def _names_field(self, text: str) -> bool:
        return text == self.old or text.startswith(f"{self.old}__")

    def _renamed(self, text: str) -> str:
        return text.replace(self.old, self.new, 1)


def _with_imports(content: bytes, target: str, style: Style) -> bytes:
    """Return the source with the import of the reference, and without that of an unused class."""
    source = ModuleSource(content, "")
    imports = [item for item in source.imports() if item.is_global]
    block = ImportBlock(source, style)
    if not any(item.origin == f"{MODULE}.{CLASS}" for item in imports):
        block.add(MODULE, CLASS)
    kept = exported_names(source) or ()
    for item in imports:
        if item.bound == target and target not in kept and not item.uses:
            block.remove(item)
    block.finish()
    return source.encode(source.edited_text())
