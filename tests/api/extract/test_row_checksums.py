"""Checksums of rows: what tells texts apart that a collation takes for equal."""

from __future__ import annotations

from django.db import connection

from domain_migrations.api.extract.row_checksums import hashed_columns
from domain_migrations.domains import QualifiedName
from domain_migrations.engine.sessions.connection import execute

TABLE = """
CREATE SCHEMA lab;
CREATE TABLE lab.samples (
    id bigint, name text, code varchar(5), short char(3), words text[], price numeric(5, 2),
    total numeric, data jsonb)
"""


def test_texts_are_hashed_by_their_bytes(scratch_database: str) -> None:
    execute(connection, TABLE)
    columns = hashed_columns(connection, "lab")[QualifiedName("lab", "samples")]
    assert [column.as_string(None) for column in columns] == [
        't."code" COLLATE "C"',
        't."data"::text',
        't."id"',
        't."name" COLLATE "C"',
        't."price"',
        't."short"::text COLLATE "C"',
        't."total"::text',
        't."words"::text COLLATE "C"',
    ]
