"""Modules that were written for a schema, with registries of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.test.utils import isolate_apps


@contextmanager
def written_app(text: str) -> Iterator[SimpleNamespace]:
    """The classes of a module of models, and ``apps``, the registry that they are in."""
    with isolate_apps("inventory") as apps:
        module: dict[str, Any] = {"__name__": "inventory.written"}
        exec(compile(text, "models.py", "exec"), module)  # noqa: S102
        yield SimpleNamespace(**module, apps=apps)
