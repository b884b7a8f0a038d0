"""Functions of old data migrations that ask for models of what is another domain's today.

Those models are not loaded. A new database has no rows that such a function could have converted,
so it is left out there. Where the app's tables have rows, it is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from copy import copy
from typing import Any

from django.apps.registry import Apps
from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunPython

from ...exceptions import InvalidConfiguration

LEFT_OUT = "_functions_left_out"
"""The attribute of a schema editor, which is all that a function gets of the run."""

Code = Callable[[Any, Any], object]


def without_former_models(operation: RunPython, app_label: str, labels: Collection[str]) -> Any:
    """Return an operation whose functions do nothing if they ask for models of the other apps.

    Arguments:
        labels: of the apps on which the app's migrations depended formerly.
    """
    changed: Any = copy(operation)
    for name in ("code", "reverse_code"):
        code = getattr(operation, name)
        if code is not None and code is not RunPython.noop:
            setattr(changed, name, _tolerant(code, app_label, labels))
    return changed


def _tolerant(code: Code, app_label: str, labels: Collection[str]) -> Code:
    @functools.wraps(code)
    def run(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        try:
            if schema_editor.connection.in_atomic_block:
                with transaction.atomic(using=alias):
                    code(apps, schema_editor)
            else:
                code(apps, schema_editor)
        except LookupError as exc:
            missing = next((label for label in labels if _is_missing(label, exc)), None)
            if missing is None:
                raise
            if table := _table_with_rows(apps, app_label, alias):
                name = getattr(code, "__name__", "its function")
                raise InvalidConfiguration(
                    f"{name} asks for models of {missing}, which belongs to another domain, and"
                    f" {table} has rows.",
                    hint="Apply this migration with the version of the code in which both apps"
                    " belonged to one domain, and go on with this version.",
                ) from exc
            sentence = (
                f"{getattr(code, '__name__', 'A function')} of {app_label} was left out: it asks"
                f" for models of {missing}, which belongs to another domain, and {app_label} has"
                " no rows."
            )
            vars(schema_editor).setdefault(LEFT_OUT, []).append(sentence)

    return run


def left_out(schema_editor: BaseDatabaseSchemaEditor) -> list[str]:
    """Return a sentence for each function that was left out since the last call."""
    found: list[str] = vars(schema_editor).pop(LEFT_OUT, [])
    return found


def _is_missing(label: str, exc: LookupError) -> bool:
    return str(exc).startswith(f"No installed app with label '{label}'.")


def _table_with_rows(apps: Apps, app_label: str, alias: str) -> str:
    """Return a table of the app that has rows, empty if none has."""
    for model in apps.get_models():
        options = model._meta
        is_own = options.app_label == app_label and options.managed and not options.proxy
        if is_own and model._base_manager.using(alias).exists():
            return options.db_table
    return ""
