"""The text of a migration with what has come into a schema."""

from __future__ import annotations

from domain_migrations.api.inspect.update_file import migration_text
from domain_migrations.api.inspect.update_part import UpdatePart
from domain_migrations.engine.alterations.changes import Change
from domain_migrations.engine.alterations.definition import SchemaObject
from domain_migrations.engine.alterations.steps import quick


def test_a_change_of_the_schema_itself_has_a_name() -> None:
    """A comment on it is all that can differ."""
    schema = SchemaObject("schema", "depot", None, ("comment 'stock'",), "schema depot", "")
    steps = tuple(quick("COMMENT ON SCHEMA depot IS 'stock'"))
    part = UpdatePart([Change(schema, "alter", "schema depot differs", steps)])

    key, text = migration_text(
        "depot", part, after=["0001_initial"], states=None, command="depot --update"
    )

    assert key.name == "0002_update_schema"
    assert "COMMENT ON SCHEMA depot IS 'stock';" in text
