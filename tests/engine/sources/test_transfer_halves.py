"""The halves of a transfer, as their files declare them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain_migrations.engine.sources.files import MigrationKey
from domain_migrations.engine.sources.transfer_halves import (
    Half,
    checked_half,
    half_of,
    halves_in,
    is_paired,
)
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.extra_migrations import pending

TRANSFER = """
from domain_migrations.operations import TransferTable
operations = [TransferTable({model!r}, pair={pair!r}, tables={{}}){more}]
"""
RECEIVE = TRANSFER.replace("TransferTable", "ReceiveTable").replace("{{}}", "{{}}, fields=[]")
GIVES, GETS = MigrationKey("inventory", "0100_gives"), MigrationKey("hr", "0100_gets")


@contextmanager
def written(
    path: Path,
    *,
    model: str = "Company",
    pair: str = str(GETS),
    more: str = "",
) -> Iterator[None]:
    """Both halves on disk."""
    gives = TRANSFER.format(model=model, pair=pair, more=more)
    gets = RECEIVE.format(model="Company", pair=str(GIVES), more="")
    with pending(path, "inventory", {GIVES.name: gives}), pending(path, "hr", {GETS.name: gets}):
        yield


def test_both_know_each_other(tmp_path: Path) -> None:
    with written(tmp_path):
        half = half_of(GIVES)
        assert half is not None
        assert half == Half(GIVES, "Company", GETS, receives=False, is_alone=True)
        assert (half.domain.name, half.other_domain.name) == ("inventory", "hr")
        other = checked_half(half)
        assert other == Half(GETS, "Company", GIVES, receives=True, is_alone=True)
        assert checked_half(other) == half
        assert halves_in("hr") == (other,)
        assert is_paired(GIVES, ("hr", "0001_initial"))
        assert not is_paired(GIVES, ("inventory", "0001_initial"))
        assert not is_paired(GIVES, ("finance", "0001_initial"))
    assert half_of(GIVES) is None
    assert halves_in("finance") == ()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (
            {"pair": "hr.0099_other"},
            "hr.0099_other, which it names, is not a migration that receives the table and names it"
            " in turn",
        ),
        ({"model": "Drug"}, "it transfers Drug, and hr.0100_gets receives Company"),
        (
            {"more": ", migrations.RunSQL('')"},
            "inventory.0100_gives has other operations beside the one that transfers the table",
        ),
    ],
)
def test_halves_that_do_not_fit(tmp_path: Path, changed: dict[str, str], problem: str) -> None:
    with written(tmp_path, **changed):
        half = half_of(GIVES)
        assert half is not None
        with pytest.raises(InvalidConfiguration) as caught:
            checked_half(half)
    assert caught.value.message == f"Migration inventory.0100_gives cannot be run: {problem}."


def test_an_app_that_is_not_installed(tmp_path: Path) -> None:
    with written(tmp_path, pair="gone.0001_gets"):
        half = half_of(GIVES)
        assert half is not None
        with pytest.raises(InvalidConfiguration) as caught:
            checked_half(half)
    assert caught.value.message == (
        "Migration inventory.0100_gives cannot be run: the app gone is not installed, and its"
        " gone.0001_gets runs together with it."
    )
