"""Names of models, fields and relations that Python and Django accept."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

from django.db import models

CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")
IRREGULAR = {
    "analyses": "analysis",
    "archives": "archive",
    "axes": "axis",
    "bases": "base",
    "caches": "cache",
    "calories": "calorie",
    "children": "child",
    "cookies": "cookie",
    "cpus": "cpu",
    "crises": "crisis",
    "criteria": "criterion",
    "feet": "foot",
    "formulae": "formula",
    "halves": "half",
    "indices": "index",
    "knives": "knife",
    "leaves": "leaf",
    "lives": "life",
    "matrices": "matrix",
    "menus": "menu",
    "men": "man",
    "mice": "mouse",
    "movies": "movie",
    "niches": "niche",
    "people": "person",
    "quizzes": "quiz",
    "shelves": "shelf",
    "shoes": "shoe",
    "skus": "sku",
    "syntheses": "synthesis",
    "vertices": "vertex",
    "wives": "wife",
    "wolves": "wolf",
    "women": "woman",
}
UNCHANGED = frozenset(
    {
        *("alias", "atlas", "bias", "bus", "canvas", "chaos", "corps", "gas", "goods", "has"),
        *("kudos", "lens"),
        *("means", "news", "os", "series", "sms", "sos", "species", "was", "yes"),
    }
)
ENDINGS = (
    ("noses", "nosis", 6),
    ("theses", "thesis", 0),
    ("ies", "y", 5),
    ("sses", "ss", 0),
    ("shes", "sh", 0),
    ("ches", "ch", 0),
    ("xes", "x", 0),
    ("oes", "o", 5),
    ("ouses", "ouse", 0),
    ("auses", "ause", 0),
    ("uses", "us", 6),
    ("ss", "ss", 0),
    ("us", "us", 0),
    ("is", "is", 0),
    ("s", "", 3),
)
"""The end of a plural, the end of its singular, and the length from which that is so."""
MODEL_ATTRIBUTES = frozenset(dir(models.Model)) | {"objects", "pk", "Meta"}
MODULE = "models"
"""What fields are written with, in the class where their names are."""
RESERVED = frozenset(name for name in dir(builtins) if name[0].isupper())


@lru_cache(maxsize=4096)  # Tables of one schema repeat the names of columns.
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: ``userRoles`` → ``user``, ``roles``.

    Letters of any script are kept with their vowel signs and accents, other signs separate words.
    """
    signs = unicodedata.normalize("NFKC", name)
    plain = "".join(
        sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in signs
    )
    parts = (part for item in plain.split() for part in CAMEL_CASE.split(item))
    return tuple(part.lower() for part in parts if any(map(str.isalnum, part)))


def class_words(parts: Iterable[str]) -> str:
    """Return words as the name of a class, which may not be an identifier."""
    return "".join(part[:1].upper() + part[1:] for part in parts)


class ClassNames:
    """Names of classes for tables, each of them once.

    A table is singularized only in a schema that has plurals: at least half of the names end in
    "s" or are irregular. So names in languages without such plurals stay as they are.

    Arguments:
        tables: the names of all tables.
        reserved: names that are not used.
    """

    def __init__(self, tables: Iterable[str], reserved: Collection[str] = ()) -> None:
        last = [found[-1] for found in map(words, tables) if found]
        plurals = sum(word in IRREGULAR or singular(word) != word for word in last)
        self.has_plurals = 2 * plurals >= len(last) > 0
        self.reserved = {name.lower() for name in {*RESERVED, *reserved}}
        self.taken: set[str] = set()

    def add(self, table: str) -> str:
        """Return the name of a table's class."""
        parts = list(words(table)) or ["table"]
        if self.has_plurals:
            parts[-1] = singular(parts[-1])
        name = class_words(parts)
        if not name.isidentifier():
            name = f"Table{name}" if f"Table{name}".isidentifier() else "Table"
        if name.lower() in self.reserved:
            name = f"{name}Record"
        name = unique(name, self.taken)
        self.taken.add(name.lower())
        return name


def singular(word: str) -> str:
    """Return the singular of an English plural; another word unchanged."""
    if word in UNCHANGED or not word.isascii():
        return word
    if word in IRREGULAR:
        return IRREGULAR[word]
    if (shorter := word.removesuffix("es")) in UNCHANGED:
        return shorter
    for plural, ending, length in ENDINGS:
        if word.endswith(plural) and len(word) >= length:
            return word.removesuffix(plural) + ending
    return word


@lru_cache(maxsize=4096)
def field_name(column: str) -> str:
    """Return the name of a column's field, which may have to be made unique."""
    name = "_".join(words(column)) or "field"
    if not name.isidentifier():
        name = f"field_{name}" if f"field_{name}".isidentifier() else "field"
    if keyword.iskeyword(name) or name in MODEL_ATTRIBUTES or name == MODULE:
        name = f"{name}_field"
    return name


def unique(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number if it is taken; ``taken`` is in lower case."""
    found, number = name, 2
    while found.lower() in taken:
        found = f"{name}{number}" if name[0].isupper() else f"{name}_{number}"
        number += 1
    return found
