"""The page on migrations and Citus: its form, and that it says what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.citus.kinds import KINDS
from tests.citus.lab_project import run_both
from tests.citus.page import (
    DIFFERS,
    OTHER_FORM,
    PAGE,
    REFUSED,
    WORKS,
    contradictions,
    outcomes,
    render,
    rows,
)
from tests.citus.violations import VIOLATIONS
from tests.support.cluster import CitusServers

TEXT = PAGE.read_text()
ROWS = list(rows(TEXT))
SOME = (
    "PositiveIntegerField (with a check)",
    "ManyToManyField",
    "trigger, in one string with its function",
    "constraints without a name",
    "RENAME CONSTRAINT",
    "rows inserted in another domain",
)


def test_page_has_every_kind_and_every_violation() -> None:
    titles = [(group, title) for group, title, *_ in ROWS]
    assert titles[: len(KINDS)] == [(kind.group, kind.title) for kind in KINDS]
    assert [title for _, title in titles[len(KINDS) :]] == [kind.title for kind in VIOLATIONS]
    assert len(KINDS) >= 60
    assert len(VIOLATIONS) >= 15


def test_page_says_what_each_does() -> None:
    for _, title, plain, distributed in ROWS[: len(KINDS)]:
        assert re.fullmatch(r"works|refused: .+", plain), title
        assert re.fullmatch(
            rf"{WORKS}|{OTHER_FORM}|(?:{DIFFERS}|{REFUSED}): .+\.(?: `[\w-]+`)*", distributed
        ), title
    for _, title, plain, distributed in ROWS[len(KINDS) :]:
        assert plain == REFUSED, title
        assert distributed.startswith(f"{REFUSED}: "), title


def test_page_counts_its_rows_and_names_the_versions() -> None:
    cells = [distributed.partition(":")[0] for *_, distributed in ROWS[: len(KINDS)]]
    counts = [len(cells), *map(cells.count, (WORKS, OTHER_FORM, DIFFERS, REFUSED))]
    found = re.search(
        r"Of (\d+) kinds: (\d+) work, (\d+) in another form; different: (\d+); refused: (\d+)", TEXT
    )
    assert found
    assert [int(count) for count in found.groups()] == counts
    assert re.search(r"Django [\d.]+,\sPostgreSQL [\d.]+, Citus [\d.]+", TEXT)


@pytest.mark.citus
def test_some_kinds_do_what_the_page_says(citus_cluster: CitusServers, tmp_path: Path) -> None:
    results = run_both(citus_cluster, tmp_path, SOME)
    expected = {title: distributed for _, title, _, distributed in ROWS}
    assert contradictions(*results) == []
    assert {
        one["title"]: outcomes(one, other)[1].cell for one, other in zip(*results, strict=True)
    } == {title: expected[title] for title in SOME}


@pytest.mark.citus
@pytest.mark.slow_stress
def test_all_kinds_do_what_the_page_says(citus_cluster: CitusServers, tmp_path: Path) -> None:
    results = run_both(citus_cluster, tmp_path)
    assert render(*results) == TEXT
    assert contradictions(*results) == []
