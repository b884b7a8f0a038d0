"""Shards compared with their tables, as catalogs describe both."""

from __future__ import annotations

import pytest

from domain_migrations.engine.cluster.shard_catalog import Part
from domain_migrations.engine.cluster.shard_comparison import PartDifference, compare_shard

NAMES = {"hr.positions_102054": "hr.positions", 'hr."Odd_1"': 'hr."Odd"'}

TABLE = [
    Part("table", "", ""),
    Part("column", "id", "bigint NOT NULL"),
    Part("column", "state", "text DEFAULT 'new'::text"),
    Part("constraint", "positions_pkey", "PRIMARY KEY (id)"),
    Part(
        "constraint",
        "positions_state",
        "CHECK (((state)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying(1)])"
        "::text[])))",
    ),
    Part("constraint", "positions_boss_fk", "FOREIGN KEY (boss_id) REFERENCES hr.positions(id)"),
    Part("index", "positions_state_idx", "CREATE INDEX ON hr.positions USING btree (state)"),
    Part(
        "trigger",
        "audit",
        "CREATE TRIGGER AFTER INSERT ON hr.positions FOR EACH ROW EXECUTE FUNCTION hr.f()",
    ),
]
SHARD = [
    Part("table", "", ""),
    Part("column", "id", "bigint NOT NULL"),
    Part("column", "state", "text DEFAULT 'new'::text"),
    Part("constraint", "positions_pkey_102054", "PRIMARY KEY (id)"),
    Part(
        "constraint",
        "positions_state",
        "CHECK ((state)::text = ANY (ARRAY[('a'::character varying)::text,"
        " ('b'::character varying(1))::text]))",
    ),
    Part(
        "constraint",
        "positions_boss_fk_102054",
        "FOREIGN KEY (boss_id) REFERENCES hr.positions_102054(id)",
    ),
    Part(
        "index",
        "positions_state_idx_102054",
        "CREATE INDEX ON hr.positions_102054 USING btree (state)",
    ),
    Part(
        "trigger",
        "audit_102054",
        "CREATE TRIGGER AFTER INSERT ON hr.positions_102054 FOR EACH ROW EXECUTE FUNCTION hr.f()",
    ),
]


def test_what_is_different_on_every_shard() -> None:
    table = [Part("table", "", ""), Part("constraint", "c", "CHECK ((n > 0)) NO INHERIT NOT VALID")]
    shard = [Part("table", "", ""), Part("constraint", "c_1", "CHECK ((n > 0))")]
    assert compare_shard(table, shard, NAMES) == []
    named = [Part("table", "", ""), Part("policy", "own", "PERMISSIVE FOR ALL")]
    other = [Part("table", "", ""), Part("policy", "another", "PERMISSIVE FOR ALL")]
    assert [each.name for each in compare_shard(named, other, NAMES)] == ["own", "another"]


def test_a_shard_that_agrees() -> None:
    assert compare_shard(TABLE, SHARD, NAMES) == []


def test_a_shard_that_does_not_exist() -> None:
    assert compare_shard(TABLE, [], NAMES) == [PartDifference("table", "", "", None)]


@pytest.mark.parametrize("part", SHARD[1:], ids=lambda part: part.name)
def test_what_a_shard_lacks(part: Part) -> None:
    found = compare_shard(TABLE, [each for each in SHARD if each != part], NAMES)
    assert [(each.kind, each.found) for each in found] == [(part.kind, None)]
    assert part.name.startswith(found[0].name)


@pytest.mark.parametrize("part", TABLE[1:], ids=lambda part: part.name)
def test_what_only_a_shard_has(part: Part) -> None:
    found = compare_shard([each for each in TABLE if each != part], SHARD, NAMES)
    assert (found[0].kind, found[0].expected) == (part.kind, None)
    assert "102054" not in str(found[0].found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bigint NOT NULL", "bigint"),
        ("bigint NOT NULL", "integer NOT NULL"),
        ("text DEFAULT 'new'::text", "text DEFAULT 'old'::text"),
        ("text DEFAULT 'new'::text", "character varying(9) DEFAULT 'new'::character varying"),
    ],
)
def test_a_column_in_another_form(old: str, new: str) -> None:
    changed = [part._replace(definition=new) if part.definition == old else part for part in SHARD]
    (found,) = compare_shard(TABLE, changed, NAMES)
    assert (found.kind, found.expected, found.found) == ("column", old, new)


def test_equal_constraints_are_counted() -> None:
    twice = [*TABLE, Part("constraint", "again", "PRIMARY KEY (id)")]
    (found,) = compare_shard(twice, SHARD, NAMES)
    assert (found.kind, found.name) == ("constraint", "again")


def test_names_of_shards_within_other_words_stay() -> None:
    parts = [Part("table", "", ""), Part("index", "i", "ON other_hr.positions_102054 (a)")]
    assert compare_shard(parts, parts, NAMES) == []
    quoted = [Part("table", "", ""), Part("index", "i", 'ON hr."Odd_1" (a)')]
    table = [Part("table", "", ""), Part("index", "i", 'ON hr."Odd" (a)')]
    assert compare_shard(table, quoted, NAMES) == []
