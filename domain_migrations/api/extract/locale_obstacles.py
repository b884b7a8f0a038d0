"""Obstacles of language: collations that the target cannot make, and money in another form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...engine.sessions.connection import fetch_all, fetch_one
from .sides import Sides, server_version

Row = tuple[str, str, str, str]
"""Side, object, message and remedy: an obstacle."""

DATABASE = """
SELECT datcollate, datctype,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),
    datlocprovider::text, coalesce(pg_catalog.pg_database_collation_actual_version(d.oid), ''),
    coalesce(datcollversion, ''), quote_ident(datname), current_setting('lc_monetary')
FROM pg_catalog.pg_database d WHERE datname = current_database()
"""
USED_COLLATIONS = """
SELECT n.nspname::text, l.collname::text, l.collprovider::text, coalesce(
        to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate::text, '')
FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
WHERE l.collprovider <> 'd' AND coalesce(l.collcollate, '') NOT IN ('C', 'POSIX')
    AND (n.nspname = %(schema)s OR l.oid IN (
        SELECT a.attcollation FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
        WHERE s.nspname = %(schema)s AND NOT a.attisdropped
        UNION SELECT t.typcollation FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace WHERE s.nspname = %(schema)s))
ORDER BY 1, 2
"""
KNOWN_COLLATIONS = """
SELECT collname::text, collprovider::text, coalesce(collcollate::text, '')
FROM pg_catalog.pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace
"""
VERSION = """
SELECT coalesce(pg_catalog.pg_collation_actual_version(l.oid), '')
FROM pg_catalog.pg_collation l
WHERE l.collnamespace = 'pg_catalog'::regnamespace AND l.collname = %s
ORDER BY l.collencoding DESC LIMIT 1
"""
RANGES = """
SELECT DISTINCT format('%%I.%%I', n.nspname, c.relname),
    CASE WHEN l.collprovider <> 'd' THEN l.collname::text END
FROM pg_catalog.pg_partitioned_table p
JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(p.partcollation) AS k (used)
JOIN pg_catalog.pg_collation l ON l.oid = k.used
    AND l.collnamespace = 'pg_catalog'::regnamespace
WHERE n.nspname = %s AND p.partstrat = 'r' ORDER BY 1, 2
"""
MONEY = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(a.attname)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    AND 'money'::regtype IN (t.oid, t.typbasetype, t.typelem) ORDER BY 1, 2
"""
CODE_POINT_NAMES = ("c", "posix", "c.utf8")
"""The locales without a language, normalised."""

BY_CODE_POINT = ("C",)
OF_ICU = "-x-icu"
"""How the names end that a server built with ICU gives its collations."""


class DatabaseLocale(NamedTuple):
    """The locale of a database.

    Attributes:
        version: of the collation that the operating system, or ICU, has now.
        recorded: the version with which the database's indexes were built.
    """

    collate: str
    ctype: str
    locale: str
    provider: str
    version: str
    recorded: str
    database: str
    monetary: str

    @property
    def names(self) -> tuple[str, ...]:
        """What text is sorted and classified by."""
        return self[:4]

    @property
    def order(self) -> tuple[str, ...]:
        """What text is sorted by; several names mean the order of code points."""
        if self.provider == "i":
            return ("i", self.locale)
        collate = _normalised(self.collate)
        by_code_point = self.provider == "b" or collate in CODE_POINT_NAMES
        return BY_CODE_POINT if by_code_point else ("c", collate)

    def __str__(self) -> str:
        provider = {"c": "libc", "i": "ICU", "b": "builtin"}.get(self.provider, self.provider)
        parts = (self.collate, self.ctype, self.locale, provider)
        return " ".join(dict.fromkeys(part for part in parts if part))


class Collation(NamedTuple):
    schema: str
    name: str
    provider: str
    locale: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_the_server_s(self) -> bool:
        """Whether every database of the server has it; others are made by migrations."""
        return self.schema == "pg_catalog"


def locale_obstacles(sides: Sides) -> Iterator[Row]:
    """Yield the collations that the target cannot make, and what depends on how text is sorted."""
    for collation in used_collations(sides):
        if reason := _what_is_missing(sides, collation):
            problem, remedy = reason
            yield (
                sides.target,
                str(collation),
                f"The domain uses the collation {collation}, {problem}.",
                remedy,
            )
    yield from _ranges(sides)
    yield from _money(sides)


def used_collations(sides: Sides) -> list[Collation]:
    """Return the collations of the domain's columns, indexes and types, and those in its schema."""
    rows = fetch_all(sides.from_connection, USED_COLLATIONS, {"schema": sides.schema})
    return [Collation(*row) for row in rows]


def _what_is_missing(sides: Sides, collation: Collation) -> tuple[str, str] | None:
    """Return what the target lacks for a collation, and the remedy."""
    known = fetch_all(sides.to_connection, KNOWN_COLLATIONS)
    names = {name for name, _, _ in known}
    if collation.provider == "i" and not any(name.endswith(OF_ICU) for name in names):
        return (
            "which is ICU's; the target's server is built without ICU",
            "Move to a server that is built with ICU.",
        )
    if collation.provider == "b" and server_version(sides.to_connection) < 17:
        return (
            "which is PostgreSQL's own; the target's server knows those from version 17 on",
            "Move to PostgreSQL 17 or later.",
        )
    is_there = collation.name in names if collation.is_the_server_s else True
    if collation.provider == "c":
        locales = {_normalised(locale) for _, provider, locale in known if provider == "c"}
        is_there = is_there and _normalised(collation.locale) in locales
    if is_there:
        return None
    return (
        "which the target's server does not know",
        f"Install the locale {collation.locale} on the target's machine; and in each database:"
        " SELECT pg_import_system_collations('pg_catalog');",
    )


def _normalised(locale: str) -> str:
    """Return a locale of the operating system, which is written as en_US.UTF-8 and en_US.utf8."""
    return locale.lower().replace("-", "")


def _ranges(sides: Sides) -> Iterator[Row]:
    """Yield the tables whose rows another order would bring into other partitions."""
    one, other = database_locales(sides)
    for table, collation in fetch_all(sides.from_connection, RANGES, [sides.schema]):
        if collation is None and one.order != other.order:
            yield (
                sides.target,
                table,
                f"{table} is partitioned by ranges of text, which the target sorts otherwise: rows"
                " would not fit into their partitions.",
                f"Drop the target's database, and {_same_locale(other.database, one)}",
            )
        elif different := _versions(sides, one, other, collation):
            yield (
                sides.target,
                table,
                f"{table} is partitioned by ranges of text, and the collation has version"
                f" {different}: rows may not fit into their partitions.",
                "Move to a server whose operating system has the same version of it.",
            )


def _money(sides: Sides) -> Iterator[Row]:
    """Yield the columns whose amounts the target would read otherwise than they are written."""
    one, other = database_locales(sides)
    if _money_form(one) == _money_form(other):
        return
    for table, column in fetch_all(sides.from_connection, MONEY, [sides.schema]):
        yield (
            sides.target,
            f"{table}.{column}",
            f"{table}.{column} is of type money, which travels as text by lc_monetary:"
            f' {one.monetary} in "{sides.source}", {other.monetary} in "{sides.target}". Amounts'
            " would change.",
            f"ALTER DATABASE {other.database} SET lc_monetary = '{one.monetary}'; and connect"
            " again.",
        )


def _money_form(locale: DatabaseLocale) -> str:
    """Return how the database writes amounts."""
    name = _normalised(locale.monetary)
    return "c" if name in CODE_POINT_NAMES else name


def locale_notes(sides: Sides) -> Iterator[str]:
    """Yield a sentence for each difference in how the databases sort; indexes are built again."""
    one, other = database_locales(sides)
    if one.names != other.names:
        yield (
            f'"{sides.source}" sorts by {one}, "{sides.target}" by {other}: ORDER BY may give'
            " another order, and LIKE other indexes. To keep it, create the target's database with"
            f" {_same_locale(other.database, one)}"
        )
    elif different := _versions(sides, one, other, None):
        yield f"The collation of the databases has version {different}: {ANOTHER_ORDER}"
    for collation in used_collations(sides):
        if not collation.is_the_server_s or _what_is_missing(sides, collation):
            continue
        if different := _versions(sides, one, other, collation.name):
            yield f"The collation {collation} has version {different}: {ANOTHER_ORDER}"
    if one.recorded != one.version and one.recorded and one.version:
        yield (
            f'The indexes of "{sides.source}" were built with version {one.recorded} of its'
            f" collation, and the server now has {one.version}: a unique index may have let"
            " duplicates in, which would stop the copy. REINDEX DATABASE"
            f" {one.database}; ALTER DATABASE {one.database} REFRESH COLLATION VERSION;"
        )


ANOTHER_ORDER = "ORDER BY may give another order."


def _versions(
    sides: Sides, one: DatabaseLocale, other: DatabaseLocale, collation: str | None
) -> str:
    """Return the two versions of a collation of the servers, as words; empty if they are equal.

    Arguments:
        collation: its name; None for that of the databases.
    """
    if collation is None:
        if one.order == other.order == BY_CODE_POINT:
            return ""
        first, second = one.version, other.version
    else:
        (first,) = fetch_one(sides.from_connection, VERSION, [collation])
        (second,) = fetch_one(sides.to_connection, VERSION, [collation]) or ("",)
    if first == second:
        return ""
    return f'{first or "unknown"} in "{sides.source}" and {second or "unknown"} in "{sides.target}"'


def database_locales(sides: Sides) -> tuple[DatabaseLocale, DatabaseLocale]:
    """Return the locales of both databases."""
    one, other = (
        DatabaseLocale(*fetch_one(connection, DATABASE))
        for connection in (sides.from_connection, sides.to_connection)
    )
    return one, other


def _same_locale(database: str, wanted: DatabaseLocale) -> str:
    """Return the statement that creates a database with the locale."""
    locale = f"LC_COLLATE '{wanted.collate}' LC_CTYPE '{wanted.ctype}'"
    if wanted.provider == "i":
        locale += f" LOCALE_PROVIDER icu ICU_LOCALE '{wanted.locale}'"
    elif wanted.provider == "b":
        locale += f" LOCALE_PROVIDER builtin BUILTIN_LOCALE '{wanted.locale}'"
    return f"CREATE DATABASE {database} TEMPLATE template0 {locale};"
