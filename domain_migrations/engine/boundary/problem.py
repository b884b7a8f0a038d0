"""One thing that is wrong with the project's declarations, however it is reported."""

from __future__ import annotations

from typing import Any, NamedTuple


class Problem(NamedTuple):
    """A problem that a system check reports, and that a run refuses to work with.

    Attributes:
        id: stable, without the prefix; never used again for something else.
        about: the model, field or app, as system checks name their object; None for settings.
    """

    id: str
    message: str
    hint: str
    obj: Any = None
