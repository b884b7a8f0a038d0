"""The domains as a picture: what each uses of core, refers to and may not use.

::

    picture = domain_map()
    print(render(picture, "svg"))
"""

from __future__ import annotations

from .formats import FORMATS, render
from .gathering import domain_map
from .values import DomainMap, Edge, Link, Node

__all__ = ["FORMATS", "DomainMap", "Edge", "Link", "Node", "domain_map", "render"]
