"""Seeds in YAML: data and nothing else.

The file is composed into nodes and never constructed into objects, so that no tag of it can
make Python do anything. What a plain scalar is, is decided by its column and not by YAML: the
code ``NO`` is no boolean and ``0010`` no octal number.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from ....exceptions import InvalidConfiguration
from ..document import Document, LinedDict, LinedList, PlainScalar, parse_document
from ..seed_files import SeedFile

PREFIX = "tag:yaml.org,2002:"
SCALARS = frozenset(
    PREFIX + name for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
COLLECTIONS = frozenset((PREFIX + "map", PREFIX + "seq"))


def read_yaml(seed: SeedFile) -> Document:
    """Return what the file says.

    Raises:
        InvalidConfiguration: PyYAML is not installed.
        SeedFailed: it is not YAML, has a key twice, a tag or an alias, or is not a mapping of
            models to rows.
    """
    try:
        import yaml
    except ImportError as exc:
        raise InvalidConfiguration(
            f"{seed} is written in YAML, and PyYAML is not installed.",
            hint='Run: pip install "django-domain-migrations[seeds]", or write it in JSON or CSV.',
        ) from exc

    try:
        text = seed.path.read_text(encoding="utf-8-sig")
        _refuse_aliases(seed, yaml, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = _Nodes(seed, yaml).value(node) if node is not None else None
    except UnicodeDecodeError as exc:
        raise seed.not_utf8(exc) from exc
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else None
        raise seed.failed(line, f"this is not YAML: {exc.problem or exc.context}.") from exc
    except yaml.YAMLError as exc:
        raise seed.failed(None, f"this is not YAML: {str(exc).splitlines()[0]}.") from exc
    except RecursionError as exc:
        raise seed.failed(None, "the values are nested too deeply.") from exc
    return parse_document(seed, content)


def _refuse_aliases(seed: SeedFile, yaml: Any, text: str) -> None:
    """An alias of an alias of an alias could be larger than the memory."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1
            raise seed.failed(line, f"*{event.anchor} is an alias, which seeds do not take.")


class _Nodes:
    """Turns the nodes of one file into values."""

    def __init__(self, seed: SeedFile, yaml: Any) -> None:
        self.seed = seed
        self.yaml = yaml
        self.constructor = yaml.SafeLoader("")

    def value(self, node: Any) -> Any:
        if node.tag not in SCALARS | COLLECTIONS:
            raise self.seed.failed(
                _line(node),
                f"the tag {node.tag.replace(PREFIX, '!!')} is not taken: seeds are data.",
            )
        if isinstance(node, self.yaml.MappingNode):
            return self._entries(node)
        if isinstance(node, self.yaml.SequenceNode):
            made = LinedList(self.value(item) for item in node.value)
            made.line, made.lines = _line(node), [_line(item) for item in node.value]
            return made
        return self._scalar(node)

    def _entries(self, node: Any) -> LinedDict:
        made = LinedDict()
        made.line, made.lines = _line(node), {}
        for name, value in node.value:
            if not isinstance(name, self.yaml.ScalarNode):
                raise self.seed.failed(_line(name), "a key has to be a word.")
            if name.value in made:
                raise self.seed.failed(_line(name), f"{name.value!r} is there twice.")
            made[name.value] = self.value(value)
            made.lines[name.value] = _line(name)
        return made

    def _scalar(self, node: Any) -> Any:
        if node.tag == PREFIX + "null":
            return None
        if node.style is not None or node.tag == PREFIX + "str":
            return str(node.value)
        try:
            resolved = self.constructor.construct_object(node)
        except (ValueError, self.yaml.YAMLError):  # as 2026-02-31, which is no timestamp
            resolved = node.value
        if isinstance(resolved, float):
            resolved = _exact(node.value, resolved)
        if isinstance(resolved, datetime.date):
            resolved = node.value
        return PlainScalar.of(node.value, resolved)


def _exact(text: str, number: float) -> Any:
    """Return the number as it is written, where YAML's spelling is Python's."""
    try:
        exact = Decimal(text)
    except ArithmeticError:
        return number
    return exact if exact.is_finite() else number


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
