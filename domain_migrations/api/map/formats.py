"""The formats that a map can be had in."""

from __future__ import annotations

import json
from collections.abc import Callable

from .dot import dot
from .graph import DomainMap
from .mermaid import mermaid
from .svg import svg


def _json(picture: DomainMap) -> str:
    return json.dumps(picture.as_json(), ensure_ascii=False) + "\n"


_RENDERERS: dict[str, Callable[[DomainMap], str]] = {
    "svg": svg,
    "mermaid": mermaid,
    "dot": dot,
    "json": _json,
}
FORMATS = tuple(_RENDERERS)


def render(picture: DomainMap, as_format: str) -> str:
    """Return the map as text that ends with a newline; equal maps give equal bytes.

    Raises:
        InvalidConfiguration: for ``svg``, where the library that lays it out is missing.
    """
    return _RENDERERS[as_format](picture)
