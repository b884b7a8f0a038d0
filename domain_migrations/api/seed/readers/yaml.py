"""Seeds in YAML, composed into nodes and never constructed into objects."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from ....exceptions import InvalidConfiguration
from ..document import Document, LinedDict, LinedList, PlainScalar, parse_document
from ..seed_files import SeedFile

YAML_PREFIX = "tag:yaml.org,2002:"
YAML_TAGS = frozenset(
    YAML_PREFIX + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
)


def read_yaml(seed: SeedFile) -> Document:
    """Return a YAML file as a document: data and nothing else.

    The file is composed into nodes and never constructed into objects, so that no tag of it can
    make Python do anything. A column, not YAML, decides the type of a plain scalar: the code
    ``NO`` is not a boolean and ``0010`` not an octal number.

    Raises:
        InvalidConfiguration: PyYAML is not installed.
        SeedFailed: the file is not YAML, has a key twice, a tag or an alias, or is not a mapping
            of models to rows.
    """
    try:
        import yaml
    except ImportError as exc:
        raise InvalidConfiguration(
            f"{seed} is written in YAML, and PyYAML is not installed.",
            hint='Run: pip install "PyYAML>=6", or write it in JSON or CSV.',
        ) from exc

    try:
        text = seed.path.read_text(encoding="utf-8-sig")
        # An alias of an alias of an alias could be larger than the memory.
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                what = f"*{event.anchor} is an alias, which seeds do not allow."
                raise seed.failed(_yaml_line(event), what)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = _YamlNodes(seed, yaml).value(node) if node is not None else None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else None
        raise seed.failed(line, f"this is not YAML: {exc.problem or exc.context}.") from exc
    except yaml.YAMLError as exc:
        raise seed.failed(None, f"this is not YAML: {str(exc).splitlines()[0]}.") from exc
    return parse_document(seed, content)


class _YamlNodes:
    """Turns the nodes of one file into values."""

    def __init__(self, seed: SeedFile, yaml: Any) -> None:
        self.seed = seed
        self.yaml = yaml
        self.constructor = yaml.SafeLoader("")

    def value(self, node: Any) -> Any:
        if node.tag not in YAML_TAGS:
            raise self.seed.failed(
                _yaml_line(node),
                f"the tag {node.tag.replace(YAML_PREFIX, '!!')} is not allowed: seeds are data.",
            )
        if isinstance(node, self.yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, self.yaml.SequenceNode):
            made = LinedList(self.value(item) for item in node.value)
            made.lines = [_yaml_line(item) for item in node.value]
            return made
        return self._scalar(node)

    def _mapping(self, node: Any) -> LinedDict:
        made = LinedDict()
        made.line = _yaml_line(node)
        for name, value in node.value:
            if not isinstance(name, self.yaml.ScalarNode):
                raise self.seed.failed(_yaml_line(name), "a key has to be a word.")
            if name.value in made:
                raise self.seed.failed(_yaml_line(name), f"{name.value!r} appears twice.")
            made[name.value] = self.value(value)
            made.lines[name.value] = _yaml_line(name)
        return made

    def _scalar(self, node: Any) -> Any:
        if node.tag == YAML_PREFIX + "null":
            return None
        if node.style is not None or node.tag == YAML_PREFIX + "str":
            return str(node.value)
        try:
            resolved = self.constructor.construct_object(node)
        except (ValueError, self.yaml.YAMLError):  # for example 2026-02-31
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


def _yaml_line(node: Any) -> int:
    return int(node.start_mark.line) + 1
