"""Locales of databases: which sort alike, and how one with the same is created."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from domain_migrations.api.extract import locale_obstacles
from domain_migrations.api.extract.locale_obstacles import DatabaseLocale, locale_notes
from domain_migrations.api.extract.sides import Sides
from domain_migrations.domains import get_domain

C = DatabaseLocale("C", "C", "", "c", "", "", "shop", "C")
UTF8 = C._replace(collate="C.UTF-8")
BUILTIN = C._replace(collate="sv_SE.UTF-8", provider="b", locale="C.UTF-8")
SWEDISH = C._replace(collate="sv_SE.UTF-8", ctype="sv_SE.UTF-8", version="2.36", recorded="2.31")
ICU = SWEDISH._replace(provider="i", locale="sv-SE", version="153.1", recorded="153.1")
SIDES = Sides(get_domain("inventory"), "default", "lab")


def both(
    monkeypatch: pytest.MonkeyPatch, one: DatabaseLocale, other: DatabaseLocale, **rows: Any
) -> None:
    """Let the databases have these locales, and the domain what the queries find."""
    found = {getattr(locale_obstacles, name): [row] for name, row in rows.items()}

    def fetch_all(connection: BaseDatabaseWrapper, query: str, params: Any = None) -> list[Any]:
        return found.get(query, [])

    monkeypatch.setattr(Sides, "from_connection", None)
    monkeypatch.setattr(Sides, "to_connection", None)
    monkeypatch.setattr(locale_obstacles, "fetch_all", fetch_all)
    monkeypatch.setattr(locale_obstacles, "database_locales", lambda sides: (one, other))


@pytest.mark.parametrize(
    ("one", "other", "remedy"),
    [
        (C, UTF8, None),
        (UTF8, BUILTIN, None),
        (
            SWEDISH,
            C,
            "CREATE DATABASE shop TEMPLATE template0 LC_COLLATE 'sv_SE.UTF-8' LC_CTYPE"
            " 'sv_SE.UTF-8';",
        ),
        (
            ICU,
            SWEDISH,
            "CREATE DATABASE shop TEMPLATE template0 LC_COLLATE 'sv_SE.UTF-8' LC_CTYPE"
            " 'sv_SE.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE';",
        ),
        (SWEDISH, SWEDISH._replace(version="2.41"), "Move to a server whose operating system"),
        (SWEDISH, SWEDISH._replace(collate="sv_SE.utf8"), None),
    ],
)
def test_ranges_of_text_need_the_same_order(
    monkeypatch: pytest.MonkeyPatch, one: DatabaseLocale, other: DatabaseLocale, remedy: str | None
) -> None:
    both(monkeypatch, one, other, RANGES=("inventory.spans", None))
    found = list(locale_obstacles.locale_obstacles(SIDES))
    if remedy is None:
        assert found == []
    else:
        ((side, table, _, statement),) = found
        assert (side, table) == ("lab", "inventory.spans")
        assert remedy in statement


def test_what_sorts_otherwise_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    both(monkeypatch, SWEDISH, SWEDISH._replace(version="2.41", recorded="2.41"))
    other, built = locale_notes(SIDES)
    assert other == (
        'The collation of the databases has version 2.36 in "default" and 2.41 in "lab": ORDER BY'
        " may give another order."
    )
    assert built.startswith('The indexes of "default" were built with version 2.31 of its')
    both(monkeypatch, C, BUILTIN)
    (note,) = locale_notes(SIDES)
    assert note.startswith('"default" sorts by C libc, "lab" by sv_SE.UTF-8 C C.UTF-8 builtin:')


def test_money_needs_the_same_form(monkeypatch: pytest.MonkeyPatch) -> None:
    both(monkeypatch, C._replace(monetary="en_US.UTF-8"), C, MONEY=("inventory.drugs", "price"))
    ((side, column, message, remedy),) = locale_obstacles.locale_obstacles(SIDES)
    assert (side, column) == ("lab", "inventory.drugs.price")
    assert 'en_US.UTF-8 in "default", C in "lab". Amounts would change.' in message
    assert remedy == "ALTER DATABASE shop SET lc_monetary = 'en_US.UTF-8'; and connect again."
    both(monkeypatch, C, C._replace(monetary="C.UTF-8"), MONEY=("inventory.drugs", "price"))
    assert list(locale_obstacles.locale_obstacles(SIDES)) == []
