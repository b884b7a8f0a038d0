"""The wording and the layout of the engine: docstrings, comments, messages and module names."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parent.parent / "domain_migrations"
MODULES = {path.relative_to(ENGINE).as_posix(): path for path in sorted(ENGINE.rglob("*.py"))}

FOREIGN_WORDS = {
    r"\bbehind\b": "after",
    r"\bin front of\b": "before",
    r"\btold\b": "reported",
    r"\banew\b": "again",
    r"\bis no\b": "is not a",
    r"\b(?:was|were|be|not) had\b": "acquired",
    r"\bhad in time\b": "acquired in time",
    r"\bgood again\b": "repaired",
    r"\bstands? on\b": "depends on",
    r"\bputs? (?:it )?right\b": "repairs",
    r"\bby itself\b": "alone or automatically",
    r"\bgoes on\b": "continues",
    r"\bthere is not\b": "does not exist",
    r"\blooks at\b": "reads",
}
"""A pattern of foreign wording → what to write instead."""

ALLOWED = ("is no longer", "is no need", "there is no", "left it behind")
"""Phrases that contain a pattern and are idiomatic."""

SHARED_NAMES = frozenset({"__init__"})
"""Names that several modules of ``api`` and ``engine`` may have."""

COMMANDS = "management/commands/"


@pytest.mark.parametrize("module", MODULES)
def test_module_docstring_is_a_noun_phrase(module: str) -> None:
    source = MODULES[module].read_text()
    docstring = ast.get_docstring(ast.parse(source))
    if docstring is None:
        # Django describes a command by its `help`, and finds the config of an app by its module.
        assert not source or module.startswith(COMMANDS) or module == "apps.py"
        return
    assert not re.match(r"(?:What|Whether|Which|Whom?|Whose|How|Where)\b", docstring)


@pytest.mark.parametrize("module", MODULES)
def test_wording_is_idiomatic(module: str) -> None:
    found = [
        f"{module}:{line}: {match[0]!r}: write {instead!r}"
        for line, text in texts(MODULES[module].read_text())
        for pattern, instead in FOREIGN_WORDS.items()
        for match in re.finditer(pattern, without_allowed(text), re.IGNORECASE)
    ]
    assert found == []


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring, string literal and comment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, " ".join(node.value.split())
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = token.string.lstrip("# ")
            if comments and comments[-1][0] == token.start[0] - 1:
                text = f"{comments[-1][1]} {text}"
            comments.append((token.start[0], text))
    yield from comments


def without_allowed(text: str) -> str:
    for phrase in ALLOWED:
        text = re.sub(phrase, "", text, flags=re.IGNORECASE)
    return text


def test_examples_of_the_patterns() -> None:
    source = (
        '"""A lock that was not had in time."""\nRUN = f"{1} is no migration"\n# It goes\n# on.\n'
    )
    found = {
        pattern
        for _, text in texts(source)
        for pattern in FOREIGN_WORDS
        if re.search(pattern, without_allowed(text))
    }
    assert found == {
        r"\b(?:was|were|be|not) had\b",
        r"\bhad in time\b",
        r"\bis no\b",
        r"\bgoes on\b",
    }
    assert "is no" not in without_allowed("It is no longer there.")


def test_at_most_a_dozen_modules_are_loose() -> None:
    loose = [module for module in MODULES if "/" not in module and module != "__init__.py"]
    assert len(loose) <= 12


def test_names_of_modules_are_unique() -> None:
    names = Counter(
        Path(module).stem for module in MODULES if module.startswith(("api/", "engine/"))
    )
    assert {name for name, number in names.items() if number > 1} == SHARED_NAMES
