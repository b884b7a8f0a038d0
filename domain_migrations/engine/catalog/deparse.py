"""One spelling for what PostgreSQL 15 to 18 print differently.

- Whether an identifier is quoted depends on the keywords of the version: ``json`` is one since
  17. Every identifier that would be legal without quotes loses them.
- A view of one table has its columns qualified by 15 (``SELECT drugs.id FROM drugs``), not by
  later versions. The qualification goes.

String literals and function bodies are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""
    (?P<literal> \$(?P<tag>[^\W\d]\w*)?\$ .*? \$(?P=tag)\$ | \$\$ .*? \$\$
      | (?:[BEXbex]|[Uu]&)?'(?:[^']|'')*' )
  | (?P<quoted> "(?:[^"]|"")*" )
  | (?P<word> [^\W\d][\w$]* )
  | (?P<other> \s+ | \d[\w.]* | :: | [-+*/<>=~!@\#%^&|`?]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
PLAIN = re.compile(r'"[a-z_][a-z0-9_]*"')
SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
AFTER_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "OFFSET", "LIMIT", "FETCH", "FOR"}
)


def plain_tokens(text: str) -> Iterator[str]:
    """Yield the parts of a deparsed text; joined they are the text again."""
    for match in TOKEN.finditer(text):
        yield match[0]


def unquote_identifiers(text: str) -> str:
    """Return the text without the quotes that only some versions need."""
    if '"' not in text:
        return text
    return "".join(
        token[1:-1] if token[0] == '"' and PLAIN.fullmatch(token) else token
        for token in plain_tokens(text)
    )


def unqualify_single_source(definition: str) -> str:
    """Return a view's definition without the qualification that only 15 writes.

    That is: in the outermost query, when it reads from one source and is no set operation, the
    columns of that source. Queries within it are qualified by every version.
    """
    parts = list(plain_tokens(definition))
    depths, outermost = _depths(parts)
    top = [i for i, depth in enumerate(depths) if depth == 0 and not parts[i].isspace()]
    source = _single_source(parts, top)
    if source is None:
        return definition
    kept: list[str] = []
    skip = 0
    for i, part in enumerate(parts):
        if skip:
            skip -= 1
        elif (
            outermost[i]
            and part == source
            and parts[i + 1 : i + 2] == ["."]
            and parts[i + 2 : i + 3] != ["*"]
            and parts[i - 1 : i] != ["."]
        ):
            skip = 1
        else:
            kept.append(part)
    return "".join(kept)


def _depths(parts: list[str]) -> tuple[list[int], list[bool]]:
    """Return for each part how deep in parentheses it is, and if it is in the outermost query."""
    depths: list[int] = []
    outermost: list[bool] = []
    nested: list[bool] = []
    for i, part in enumerate(parts):
        if part == ")" and nested:
            nested.pop()
        depths.append(len(nested))
        outermost.append(not any(nested))
        if part == "(":
            first = next((word for word in parts[i + 1 :] if not word.isspace()), "")
            nested.append(first in ("SELECT", "WITH", "VALUES"))
    return depths, outermost


def _single_source(parts: list[str], top: list[int]) -> str | None:
    """Return the name by which the outermost query calls its one source, if it has but one."""
    words = [parts[i] for i in top]
    if "FROM" not in words or SET_OPERATIONS & set(words):
        return None
    clause: list[str] = []
    for word in words[words.index("FROM") + 1 :]:
        if word in AFTER_FROM or word in (";", "TABLESAMPLE"):
            break
        clause.append(word)
    if "," in clause or "JOIN" in clause:
        return None
    names = [word for word in clause if word[0] == '"' or word[0].isalpha() or word[0] == "_"]
    return names[-1] if names else None
