"""``map_domains``: the domains as a picture, with their links to core and to each other.

::

    picture = map_domains()
    print(render(picture, "svg"))
"""

from __future__ import annotations

from .collect import map_domains
from .formats import FORMATS, render
from .graph import DomainMap, Edge, Link, Node

__all__ = ["FORMATS", "DomainMap", "Edge", "Link", "Node", "map_domains", "render"]
