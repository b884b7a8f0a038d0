"""The domains as a picture: what each uses of core, refers to and may not use.

::

    picture = domain_map()
    print(render(picture, "svg"))
"""

from __future__ import annotations

from .collect import map_domains
from .formats import FORMATS, render
from .graph import DomainMap, Edge, Link, Node

__all__ = ["FORMATS", "DomainMap", "Edge", "Link", "Node", "map_domains", "render"]
