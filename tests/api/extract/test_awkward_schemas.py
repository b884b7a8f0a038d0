"""Schemas whose triggers and functions are in the way of making and filling a copy."""

from __future__ import annotations

from pathlib import Path

from tests.support.moving_domain import moving_project
from tests.support.servers import TestServer

AWKWARD = """
CREATE FUNCTION depot.keep() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'append only'; END$$;
CREATE TABLE depot.ledger (id int PRIMARY KEY);
CREATE TRIGGER keep BEFORE TRUNCATE ON depot.ledger EXECUTE FUNCTION depot.keep();
CREATE FUNCTION depot.note() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO depot.entries (text) VALUES (TG_OP); RETURN NULL; END$$;
CREATE TRIGGER note AFTER TRUNCATE ON depot.boxes EXECUTE FUNCTION depot.note();
ALTER TABLE depot.boxes ENABLE ALWAYS TRIGGER note;
CREATE TRIGGER note AFTER INSERT ON depot.events FOR EACH ROW EXECUTE FUNCTION depot.note();
ALTER TABLE depot.events_2025 ENABLE ALWAYS TRIGGER note;
ALTER TABLE depot.events_2026 DISABLE TRIGGER note;
CREATE FUNCTION depot.ensure_tag(text) RETURNS void LANGUAGE sql BEGIN ATOMIC
    INSERT INTO depot.tags (name) VALUES ($1) ON CONFLICT ON CONSTRAINT tags_name_key DO NOTHING;
END;
CREATE FUNCTION depot.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE INDEX entries_plain ON depot.entries (depot.plain(text));
"""
PUBLIC_DECOY = """
CREATE FUNCTION public.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)'
"""
PATH = "ALTER DATABASE {} SET search_path = {}"
INDEX = "SET search_path = ''; SELECT pg_get_indexdef('depot.entries_plain'::regclass)"
TRIGGERS = """
SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger
WHERE tgname IN ('keep', 'note') ORDER BY 1, 2
"""
MODES = [
    ("depot.boxes", "note", "A"),
    ("depot.events", "note", "O"),
    ("depot.events_2025", "note", "A"),
    ("depot.events_2026", "note", "D"),
    ("depot.ledger", "keep", "O"),
]


def test_triggers_and_functions_are_not_in_the_way(
    source_15: TestServer, target_18: TestServer, tmp_path: Path
) -> None:
    with moving_project(tmp_path / "project", source_15, target_18, more_sql=AWKWARD) as moving:
        assert moving.on_source(TRIGGERS) == MODES
        moving.on_source(PATH.format(moving.source_name, "depot, public"))
        moving.on_target(PUBLIC_DECOY)
        moving.copied()
        # The trigger of a partition that is always on would enter these a second time.
        moving.on_source(
            "INSERT INTO depot.events SELECT n, '2025-12-03' FROM generate_series(2001, 2005) n"
        )
        moving.done("cut-over")
        moving.on_source(PATH.format(moving.source_name, "public"))
        assert moving.differing_tables() == []
        entries = "SELECT text, count(*) FROM depot.entries GROUP BY 1 ORDER BY 1"
        assert moving.on_target(entries) == moving.on_source(entries)
        assert moving.on_target(TRIGGERS) == MODES
        assert moving.on_target(INDEX) == moving.on_source(INDEX)
        moving.done("abort", "--noinput")
        assert moving.on_source(TRIGGERS) == MODES
        assert moving.leftovers() == []
