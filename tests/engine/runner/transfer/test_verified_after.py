"""What `verify_domain` says of a domain that has got a table, and of one that has given it away."""

from __future__ import annotations

import json

import pytest

from tests.engine.runner.transfer.conftest import SLOW, SURROUNDINGS, Exchange
from tests.support import exchange
from tests.support.catalog import execute
from tests.support.projects import Project

MORE = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("{app}", "0001_initial")]
    operations = [migrations.RunSQL({sql!r}, migrations.RunSQL.noop)]
"""


def findings(project: Project, *arguments: str) -> list[tuple[str, str]]:
    result = project.manage("verify_domain", "--format=json", *arguments)
    return [(item["id"], item["object"]) for item in json.loads(result.stdout)["findings"]]


@pytest.mark.parametrize(
    "with_snapshot", [False, pytest.param(True, marks=SLOW)], ids=["", "snapshot"]
)
def test_what_sql_made_is_known_where_it_has_come_to(empty: Exchange, with_snapshot: bool) -> None:
    app = empty.apps[0]
    _, _, sql = SURROUNDINGS.partition("CREATE TABLE other.companies_groups (id int);")
    sql = sql.format(old=empty.old).partition("CREATE PUBLICATION")[0]
    for project in (empty.before, empty.after):
        project.write(f"{app}/migrations/0002_more.py", MORE.format(app=app, sql=sql))
    empty.run(empty.before, "--all")
    execute(exchange.ROWS.format(schema=empty.old, app=app))
    if with_snapshot:
        if empty.source == "core":
            return  # It never has one.
        written = empty.after.manage("snapshot_domain", empty.source)
        assert written.returncode == 0, written.stdout + written.stderr
    assert findings(empty.before) == []
    empty.run(empty.after, empty.source)
    assert empty.place() == empty.new
    assert findings(empty.after) == []
    execute(f"CREATE VIEW {empty.new}.by_hand AS SELECT 1 AS one")
    assert findings(empty.after) == [("D108", f"{empty.new}.by_hand")]
    execute(f"DROP VIEW {empty.new}.by_hand")
    empty.back(empty.source)
    assert findings(empty.before) == []


def test_a_table_that_is_to_be_transferred_is_no_leftover(filled: Exchange) -> None:
    """In the code the model is the other domain's already; another table is a leftover."""
    assert findings(filled.after) == []
    execute(f"CREATE TABLE {filled.old}.by_hand (id int)")
    assert findings(filled.after) == [("L002", f"{filled.old}.by_hand")]
