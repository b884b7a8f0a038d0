from __future__ import annotations

import pytest

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.sql.alterations import Alteration, alterations

DRUGS, USERS = QualifiedName("inventory", "drugs"), QualifiedName("public", "users")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            'ALTER TABLE "inventory"."drugs" ADD CONSTRAINT "by" FOREIGN KEY ("a", "b")'
            ' REFERENCES "users" ("id", "x") DEFERRABLE',
            [Alteration("add key", DRUGS, "by", ("a", "b"), USERS)],
        ),
        (
            'ALTER TABLE inventory.drugs ADD COLUMN "by_id" uuid NULL CONSTRAINT by REFERENCES'
            ' public.users("id"); SET CONSTRAINTS "inventory"."by" IMMEDIATE',
            [Alteration("add key", DRUGS, "by", ("by_id",), USERS)],
        ),
        (
            "alter table if exists only inventory . drugs add note text, drop constraint if exists"
            " by, DROP by_id CASCADE, alter note drop default, alter column n drop not null",
            [
                Alteration("drop constraint", DRUGS, "by"),
                Alteration("drop column", DRUGS, "by_id"),
            ],
        ),
        (
            "CREATE UNLOGGED TABLE IF NOT EXISTS inventory.drugs (id int, price numeric(10, 2),"
            " by_id int REFERENCES users, CONSTRAINT c FOREIGN KEY (x) REFERENCES other.t (id))",
            [
                Alteration("add key", DRUGS, "", ("by_id",), USERS),
                Alteration("add key", DRUGS, "c", ("x",), QualifiedName("other", "t")),
            ],
        ),
        (
            'DROP TABLE IF EXISTS "inventory"."drugs", "users" CASCADE',
            [Alteration("drop table", DRUGS), Alteration("drop table", USERS)],
        ),
        (
            "ALTER TABLE users ALTER COLUMN id TYPE numeric(10, 2) USING id::numeric(10, 2),"
            ' ALTER "Code" SET DATA TYPE varchar(20) COLLATE "C"',
            [
                Alteration("type", USERS, "id", type="numeric(10, 2)"),
                Alteration("type", USERS, "Code", type="varchar(20)"),
            ],
        ),
        ('ALTER TABLE inventory.drugs RENAME TO "meds"', [Alteration("rename", DRUGS, "meds")]),
        ("ALTER TABLE inventory.drugs RENAME COLUMN a TO b", []),
        ("-- ALTER TABLE users DROP a\nSELECT 'DROP TABLE users'; DO $$ DROP TABLE users $$", []),
        ("CREATE INDEX i ON users (id)", []),
        ("ALTER TABLE", []),
        ("CREATE TABLE", []),
    ],
)
def test_alterations(statement: str, expected: list[Alteration]) -> None:
    assert list(alterations(statement)) == expected
