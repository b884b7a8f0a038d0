"""What `inspect_domain` refuses before it asks a database."""

from __future__ import annotations

import pytest
from django.core.management import CommandError

from domain_migrations.api.inspect.history_choice import HistoryOptions
from domain_migrations.management.history_arguments import history_options
from tests.support.commands import call

WITHOUT_TOOL = (
    "--history-table, --history-only, --history-time-zone and --history-keep need --history TOOL."
)
NONE = {
    "history": None,
    "history_table": None,
    "history_only": None,
    "history_time_zone": None,
    "history_keep": None,
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--history-only", "shop"], WITHOUT_TOOL),
        (["--history-keep", "0"], WITHOUT_TOOL),
        (
            ["--update", "--no-proof"],
            "--update cannot be used with --name, --history or --no-proof.",
        ),
        (
            ["--update", "--history", "knex"],
            "--update cannot be used with --name, --history or --no-proof.",
        ),
    ],
)
def test_options_that_mean_nothing_are_refused(arguments: list[str], message: str) -> None:
    result = call("inspect_domain", "warehouse", *arguments)
    assert (result.exit_status, str(result.error)) == (2, message)
    assert result.stdout == ""


def test_options_of_a_history_are_those_of_the_function() -> None:
    assert history_options(NONE) is None
    assert history_options({**NONE, "history": "knex"}) == HistoryOptions(tool="knex")
    given = {
        "history": "flyway",
        "history_table": "old.runs",
        "history_only": ["a", "b"],
        "history_time_zone": "Asia/Bangkok",
        "history_keep": 0,
    }
    assert history_options(given) == HistoryOptions(
        tool="flyway", table="old.runs", only=("a", "b"), time_zone="Asia/Bangkok", keep_days=0
    )
    with pytest.raises(CommandError):
        history_options({**NONE, "history_table": "runs"})
