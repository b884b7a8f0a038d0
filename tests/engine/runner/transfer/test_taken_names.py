"""What has the name of something that a transfer moves, of any kind, is named before it runs."""

from __future__ import annotations

import pytest

from tests.engine.runner.transfer.conftest import CORE_FIRST, Exchange
from tests.support.catalog import execute, snapshot

ELSEWHERE = "CREATE TABLE {new}.elsewhere (id int, name text);"
TAKEN = {
    "index companies_size": ELSEWHERE + "CREATE INDEX companies_size ON {new}.elsewhere (id)",
    "index companies_code_key": "CREATE VIEW {new}.companies_code_key AS SELECT 1 AS one",
    "sequence companies_id_seq": "CREATE SEQUENCE {new}.companies_id_seq",
    "row type companies": "CREATE DOMAIN {new}.companies AS int",
    "row type _companies_groups": "CREATE TYPE {new}._companies_groups AS ENUM ('a')",
    "type mood": "CREATE TYPE {new}.mood AS ENUM ('a')",
    "type _mood": "CREATE DOMAIN {new}._mood AS int",
    "function grow": "CREATE FUNCTION {new}.grow() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RETURN NEW; END'",
    "statistics companies_stat": ELSEWHERE
    + "CREATE STATISTICS {new}.companies_stat ON id, name FROM {new}.elsewhere",
}
DROP_TABLE = "DROP TABLE {new}.elsewhere"
DROPS = {
    "index companies_code_key": "DROP VIEW {new}.companies_code_key",
    "sequence companies_id_seq": "DROP SEQUENCE {new}.companies_id_seq",
    "row type companies": "DROP DOMAIN {new}.companies",
    "row type _companies_groups": "DROP TYPE {new}._companies_groups",
    "type mood": "DROP TYPE {new}.mood",
    "type _mood": "DROP DOMAIN {new}._mood",
    "function grow": "DROP FUNCTION {new}.grow()",
}


@pytest.mark.parametrize("way", CORE_FIRST, indirect=True)
def test_taken_names(filled: Exchange) -> None:
    filled.surrounded()
    for what, sql in TAKEN.items():
        kind, _, name = what.rpartition(" ")
        execute(f"BEGIN; {sql.format(new=filled.new)}; COMMIT")
        before = snapshot(include_privileges=True)
        (result,) = filled.run(filled.after, "lab", status=1)
        assert result["status"] == "refused", what
        assert result["error"]["message"] == (
            f"{kind} lab.{name} to {filled.new}.{name} cannot be moved: the name is taken."
        )
        assert snapshot(include_privileges=True) == before
        execute(DROPS.get(what, DROP_TABLE).format(new=filled.new))
    execute(f"CREATE FUNCTION {filled.new}.grow(int) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    filled.run(filled.after, "lab")
    assert filled.place() == filled.new


@pytest.mark.parametrize("way", ["to core"], indirect=True)
def test_a_view_for_older_code_is_named_as_such(filled: Exchange) -> None:
    execute(
        "CREATE VIEW public.companies AS SELECT * FROM lab.items;"
        "COMMENT ON VIEW public.companies IS 'domain_migrations: stands in for lab.items until"
        " 2099-01-01, left by the transfer of shop.Item'"
    )
    (result,) = filled.run(filled.after, "lab", status=1)
    assert result["error"]["message"] == (
        "lab.companies to public.companies cannot be moved: the view public.companies stands in for"
        " lab.items, for older code."
    )
    assert 'with RemoveCompatViews([\'"public"."companies"\'])' in result["error"]["hint"]
