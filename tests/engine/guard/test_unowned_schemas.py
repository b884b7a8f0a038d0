"""The guard on schemas that belong to no domain, and on those of domains that are not installed."""

from __future__ import annotations

import pytest

from domain_migrations.engine.boundary.rule import DOMAIN_DEPENDS
from tests.engine.guard.helpers import lay_out, refusal
from tests.engine.guard.violation_cases import NOBODY, ONLY_INVENTORY
from tests.support import catalog

MORE = """
CREATE FUNCTION nobodys.keep() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO nobodys.imports VALUES (NEW.id); RETURN NEW; END';
CREATE TRIGGER keep AFTER INSERT ON inventory.lots FOR EACH ROW EXECUTE FUNCTION nobodys.keep();
CREATE TYPE nobodys.mood AS ENUM ('good');
CREATE SEQUENCE nobodys.numbers;
CREATE SCHEMA lab;
CREATE TABLE lab.samples (id int PRIMARY KEY);
CREATE TABLE lab.django_migrations_lab_journal (id int);
"""

ALLOWED = [
    "SELECT * FROM nobodys.imports",
    "INSERT INTO nobodys.imports VALUES (1)",
    "UPDATE nobodys.imports SET id = 2",
    "DELETE FROM nobodys.imports",
    "SELECT nextval('nobodys.numbers')",
    "INSERT INTO inventory.lots (id) VALUES (1)",
    "ALTER TABLE inventory.drugs ADD mood nobodys.mood",
    "CREATE VIEW inventory.v AS SELECT * FROM nobodys.imports",
    "CREATE TRIGGER more BEFORE UPDATE ON inventory.lots FOR EACH ROW"
    " EXECUTE FUNCTION nobodys.keep()",
]

REFUSED = [
    "CREATE TABLE nobodys.x (id int)",
    "CREATE FUNCTION nobodys.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TYPE nobodys.t AS ENUM ('a')",
    "CREATE INDEX ON nobodys.imports (id)",
    "CREATE TRIGGER x BEFORE UPDATE ON nobodys.imports FOR EACH ROW"
    " EXECUTE FUNCTION inventory.touch()",
    "ALTER TABLE nobodys.imports ADD x int",
    "ALTER TYPE nobodys.mood ADD VALUE 'bad'",
    "ALTER SCHEMA nobodys RENAME TO somebodys",
    "ALTER TABLE inventory.lots ADD import int REFERENCES nobodys.imports",
    "COMMENT ON TABLE nobodys.imports IS 'x'",
    "GRANT SELECT ON nobodys.imports TO PUBLIC",
    "TRUNCATE nobodys.imports",
    "DROP TABLE nobodys.imports",
    "DROP FUNCTION nobodys.keep CASCADE",
    "DROP SCHEMA nobodys CASCADE",
]

NOT_INSTALLED = {
    "SELECT * FROM lab.samples": "took AccessShareLock on lab.samples",
    "INSERT INTO lab.samples VALUES (1)": "took RowExclusiveLock on lab.samples",
    "DROP SCHEMA lab CASCADE": "took AccessExclusiveLock on lab.django_migrations_lab_journal",
    "CREATE VIEW inventory.v AS SELECT 1 FROM lab.samples": (
        "made view inventory.v use table lab.samples"
    ),
}


@pytest.fixture(scope="module")
def world(module_database: str) -> dict[str, str]:
    lay_out()
    catalog.execute(MORE)
    return catalog.snapshot()


@pytest.mark.parametrize("statement", ALLOWED)
def test_allows_to_use_it(world: dict[str, str], statement: str) -> None:
    assert refusal(statement) is None


@pytest.mark.parametrize("statement", REFUSED)
def test_refuses_to_change_it(world: dict[str, str], statement: str) -> None:
    message, hint = refusal(statement) or ("", "")
    assert message.endswith(f", {NOBODY}.")
    assert hint == ONLY_INVENTORY
    if "inventory" not in statement and "CASCADE" not in statement:
        assert refusal(statement, domain="core") is None
    assert catalog.snapshot() == world


@pytest.mark.parametrize("statement", NOT_INSTALLED)
def test_domain_that_is_not_installed(world: dict[str, str], statement: str) -> None:
    assert refusal(statement) == (
        "Migration inventory.0002_change is refused: its operation 1, RunSQL,"
        f' {NOT_INSTALLED[statement]}, which belongs to the domain "lab".',
        DOMAIN_DEPENDS,
    )


def test_domain_that_is_not_installed__core_cleans_up(world: dict[str, str]) -> None:
    assert refusal("DROP SCHEMA lab CASCADE", domain="core") is None
