"""Rows of seeds that give foreign keys by natural keys, which references do not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ...domains import QualifiedName, get_domain_for, get_domains
from ..seed.readers.csv import MODEL_KEY
from ..seed.seed_files import DATA, FOLDER, seed_files
from .by_hand import ByHand
from .key_conversions import KeyConversion
from .seed_entries import FORMATS

REASON = "{old} is the reference {new} then, which takes ids: write these rows in Python"
CSV_MODEL = re.compile(rf"^#\s*{MODEL_KEY}\s*:\s*(\S+)", re.MULTILINE)


def seeded_keys(
    conversions: Sequence[KeyConversion], planned: Mapping[Path, bytes | None]
) -> Iterator[ByHand]:
    """Yield the first line of each table in a data file that has one of the fields.

    Arguments:
        planned: the contents of the files that are edited, as they will be; None if deleted.
    """
    known = {seed.path: domain for domain in get_domains() for seed in seed_files(domain)}
    new = {path for path in planned if path.parent.name == FOLDER}
    for path in sorted(known.keys() | new):
        content = planned[path] if path in planned else path.read_bytes()
        if content is None or path.suffix not in DATA:
            continue
        text = content.decode("utf-8-sig")
        for conversion in conversions:
            # Another domain's file names the model with its app; a new file has what moves.
            own = known.get(path) in (None, get_domain_for(conversion.app_label))
            for start, end in _tables(path, text, conversion, is_own=own):
                if found := _column(path, conversion.field).search(text, start, end):
                    line = text.count("\n", 0, found.start()) + 1
                    shown = text.splitlines()[line - 1].strip()
                    reason = REASON.format(old=conversion.field, new=conversion.new_name)
                    yield ByHand(path, line, shown, reason)


def _tables(
    path: Path, text: str, conversion: KeyConversion, *, is_own: bool
) -> Iterator[tuple[int, int]]:
    """Yield where the rows of the field's model begin and end."""
    options = conversion.model._meta
    names = {str(options.model_name), QualifiedName.of(options.db_table).name.lower()}
    if path.suffix in FORMATS:
        for entry in FORMATS[path.suffix].entries(text):
            if _is_named(entry.name, names, is_own=is_own):
                yield entry.start, entry.end
        return
    declared = CSV_MODEL.search(text)
    if _is_named(declared[1] if declared else path.stem.partition("_")[2], names, is_own=is_own):
        lines = re.finditer(r"^[^#\s].*$", text, re.MULTILINE)
        yield from (line.span() for line in [next(lines, None)] if line is not None)


def _is_named(name: str, names: Iterable[str], *, is_own: bool) -> bool:
    return (is_own or "." in name) and name.rpartition(".")[2].lower() in names


def _column(path: Path, field: str) -> re.Pattern[str]:
    """Return what matches the field as a column, also by a natural key: ``kit__code``."""
    after = r"[\"']?\s*:" if path.suffix in FORMATS else r"[\"']?\s*(?:[,;]|\Z|$)"
    return re.compile(rf"(?<![\w]){re.escape(field)}(?:__\w+)?{after}", re.MULTILINE)
