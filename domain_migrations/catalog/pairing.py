"""The constraints and indexes of a table, paired with those that its model wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import findings
from .canonical import Canonical
from .expected import ExpectedTable
from .live import Named, Table

Report = Callable[..., None]
"""Called with an id, the object, a message and, for what only the database has, the words that
a migration which makes it by itself would mention."""


class ConstraintPairing:
    """Pairs the constraints and indexes of a table, and reports what has no equal partner.

    What a model names is looked for by name. What Django names is looked for by definition,
    because a name outlives the renaming of its table and columns.
    """

    def __init__(
        self,
        wanted: ExpectedTable,
        live: Table,
        canonical: Canonical,
        *,
        differs: Report,
        unexpected: Report,
    ) -> None:
        self.wanted, self.live, self.canonical = wanted, live, canonical
        self.differs, self.unexpected = differs, unexpected
        self.left = [self._rewritten(item) for item in (*live.constraints, *live.indexes)]

    def run(self) -> None:
        named = [self._rewritten(item) for item in self.wanted.named]
        lost = [item for item in named if not self._pair_by_name(item)]
        unnamed = [self._rewritten(item) for item in self.wanted.unnamed]
        vague = [item for item in unnamed if not self._take(self._equal(item))]
        for item in lost:
            self._pair_renamed(item)
        for item in vague:
            self._pair_similar(item)
        for item in self.left:
            self._extra(item)

    def _pair_by_name(self, wanted: Named) -> bool:
        live = self._take(next((item for item in self.left if item.name == wanted.name), None))
        if live is not None:
            self._differing(wanted, live)
        return live is not None

    def _pair_renamed(self, wanted: Named) -> None:
        live = self._take(next((item for item in self.left if _same(wanted, item)), None))
        if live is None:
            self._missing(wanted)
        else:
            self.differs(
                findings.RENAMED,
                self._title(wanted),
                f"The {_noun(wanted)} {self._title(wanted)} is named {live.name} in the database.",
            )

    def _pair_similar(self, wanted: Named) -> None:
        """Report an unnamed one that has no equal: changed if one is alike, else missing."""
        live = self._take(
            next(
                (
                    item
                    for item in self.left
                    if item.name == wanted.name
                    or (
                        wanted.definition.head == item.definition.head == "FOREIGN KEY"
                        and wanted.definition.keys == item.definition.keys
                    )
                ),
                None,
            )
        )
        if live is None:
            self._missing(wanted)
        else:
            self._differing(wanted, live)

    def _equal(self, wanted: Named) -> Named | None:
        equals = [item for item in self.left if _same(wanted, item)]
        equals.sort(key=lambda item: item.name != wanted.name)
        return equals[0] if equals else None

    def _take(self, live: Named | None) -> Named | None:
        if live is not None:
            self.left.remove(live)
            if not live.enforced:
                self.differs(
                    findings.NOT_ENFORCED,
                    self._title(live),
                    f"The {_noun(live)} {self._title(live)} is not enforced: its triggers are"
                    " disabled.",
                )
        return live

    def _rewritten(self, item: Named) -> Named:
        return replace(item, definition=item.definition.rewritten(self.canonical))

    def _differing(self, wanted: Named, live: Named) -> None:
        if wanted.definition != live.definition:
            self.differs(
                findings.INDEX if "INDEX" in wanted.definition.head else findings.CONSTRAINT,
                self._title(live),
                f"The {_noun(live)} {self._title(live)} is {live.definition}; the migrations say"
                f" {wanted.definition}.",
            )

    def _missing(self, wanted: Named) -> None:
        is_index = "INDEX" in wanted.definition.head
        self.differs(
            findings.MISSING_INDEX if is_index else findings.MISSING_CONSTRAINT,
            self._title(wanted),
            f"The {_noun(wanted)} {self._title(wanted)} does not exist: {wanted.definition}.",
        )

    def _extra(self, live: Named) -> None:
        is_index = "INDEX" in live.definition.head
        self.unexpected(
            findings.EXTRA_INDEX if is_index else findings.EXTRA_CONSTRAINT,
            self._title(live),
            f"The {_noun(live)} {self._title(live)} is in the database only: {live.definition}.",
            (live.name,),
        )

    def _title(self, item: Named) -> str:
        is_index = "INDEX" in item.definition.head
        return f"{self.live.schema if is_index else self.live.title}.{item.name}"


def _same(wanted: Named, live: Named) -> bool:
    """Whether they do the same; a plain unique index does what an unnamed UNIQUE asks for."""
    if wanted.definition == live.definition:
        return True
    return wanted.definition.head == "UNIQUE" and (
        replace(live.definition, head="UNIQUE") == wanted.definition
        and live.definition.head == "UNIQUE INDEX"
    )


def _noun(item: Named) -> str:
    return "index" if "INDEX" in item.definition.head else "constraint"
