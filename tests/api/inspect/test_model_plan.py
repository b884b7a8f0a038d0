"""The order of the models."""

from __future__ import annotations

import sys

import pytest
from django.db import connection

from domain_migrations.api.inspect.models_file import models_source
from tests.support.catalog import execute

LENGTH = sys.getrecursionlimit() + 100
CHAIN = """
CREATE SCHEMA chain;
DO $$
DECLARE
    last int := {0};
BEGIN
    EXECUTE format('CREATE TABLE chain.link_%s (id int PRIMARY KEY)', last);
    FOR number IN REVERSE last - 1 .. 1 LOOP
        EXECUTE format('CREATE TABLE chain.link_%s (id int PRIMARY KEY,'
            ' next_id int REFERENCES chain.link_%s)', number, number + 1);
    END LOOP;
END $$;
ALTER TABLE chain.link_{0} ADD COLUMN first_id int REFERENCES chain.link_1;
"""


@pytest.mark.usefixtures("scratch_database")
def test_a_long_chain_of_references_is_ordered() -> None:
    """Each table refers to the next, and the last to the first: more calls than Python allows."""
    execute(CHAIN.format(LENGTH))
    source = models_source(connection, "chain", app_label="inventory")
    found = [model.name for model in source.models]
    assert found == [f"Link{number}" for number in range(LENGTH, 0, -1)]
