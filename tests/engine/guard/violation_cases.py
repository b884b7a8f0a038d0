"""Migrations that break the rule, and the error that refuses each.

A new rule of the guard needs one case in ``DONE``, with a name that says what the migration does;
"reading" is the shortest one to copy. ``PLANNED`` has those that are refused before anything runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from domain_migrations.domains import Domain
from domain_migrations.engine.boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS, owner_clause
from domain_migrations.engine.guard.violations import (
    CORE_ROWS,
    CORE_SHAPE,
    NOT_IN_PUBLIC,
    UNOWNED_SCHEMA,
    WHOLE_DATABASE,
)
from tests.engine.guard.database import in_python, python, with_models
from tests.engine.guard.third_party import Purge, Register, Tag

HR, INVENTORY, FINANCE, CORE = (
    owner_clause(Domain(name, name, ())) for name in ("hr", "inventory", "finance", "core")
)
NOBODY = owner_clause(None)
IN_INVENTORY = NOT_IN_PUBLIC.format(schema="inventory")
ONLY_INVENTORY = UNOWNED_SCHEMA.format(schema="inventory")


def table_hint(table: str, domain: str = "inventory") -> str:
    """The hint for a model whose table is outside its domain's schema."""
    schema = "public" if domain == "core" else domain
    name = table if domain == "core" else f'"{schema}"."{table}"'
    return f"Every table of the domain is in the schema \"{schema}\": db_table = '{name}'"


@dataclass(frozen=True)
class Violation:
    """A migration that is refused.

    Attributes:
        operations: strings are SQL.
        did: the message after "Migration … is refused: its ".
        attributes: of the migration.
    """

    operations: Sequence[Operation | str]
    did: str
    hint: str
    domain: str = "inventory"
    attributes: dict[str, object] = field(default_factory=dict)
    backwards: bool = False


# Refused by the plan, before anything runs.
PLANNED = {
    "model with a foreign key": Violation(
        [
            migrations.CreateModel(
                "Need",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("by", models.ForeignKey("hr.Employee", models.CASCADE, null=True)),
                ],
                {"db_table": '"inventory"."needs"'},
            )
        ],
        f"operation 1, CreateModel, relates inventory.Need.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "model with a foreign key that has no constraint": Violation(
        [
            migrations.CreateModel(
                "Need",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    (
                        "by",
                        models.ForeignKey(
                            "hr.Employee", models.CASCADE, null=True, db_constraint=False
                        ),
                    ),
                ],
                {"db_table": '"inventory"."needs"'},
            )
        ],
        f"operation 1, CreateModel, relates inventory.Need.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "model with a one-to-one": Violation(
        [
            migrations.CreateModel(
                "Need",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("by", models.OneToOneField("hr.Employee", models.CASCADE, null=True)),
                ],
                {"db_table": '"inventory"."needs"'},
            )
        ],
        f"operation 1, CreateModel, relates inventory.Need.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "model with a many-to-many": Violation(
        [
            migrations.CreateModel(
                "Need",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("by", models.ManyToManyField("hr.Employee")),
                ],
                {"db_table": '"inventory"."needs"'},
            )
        ],
        f"operation 1, CreateModel, relates inventory.Need.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "model with a many-to-many through another domain's model": Violation(
        [
            migrations.CreateModel(
                "Need",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("drugs", models.ManyToManyField("inventory.Drug", through="hr.Position")),
                ],
                {"db_table": '"inventory"."needs"'},
            )
        ],
        f"operation 1, CreateModel, relates inventory.Need.drugs to hr.position, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "model that inherits": Violation(
        [
            migrations.CreateModel(
                "Need",
                [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField())],
                {"db_table": '"inventory"."needs"'},
                bases=("hr.employee",),
            )
        ],
        f"operation 1, CreateModel, makes inventory.Need inherit from hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "proxy": Violation(
        [migrations.CreateModel("Need", [], {"proxy": True}, bases=("hr.employee",))],
        f"operation 1, CreateModel, makes inventory.Need inherit from hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "model without a schema": Violation(
        [
            migrations.CreateModel(
                "Need",
                [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField())],
                {},
            )
        ],
        (
            "operation 1, CreateModel, names the table public.inventory_need for inventory.Need, "
            'which is outside the schema "inventory".'
        ),
        table_hint("inventory_need"),
    ),
    "model in another's schema": Violation(
        [
            migrations.CreateModel(
                "Need",
                [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField())],
                {"db_table": '"hr"."needs"'},
            )
        ],
        (
            "operation 1, CreateModel, names the table hr.needs for inventory.Need, which is "
            'outside the schema "inventory".'
        ),
        table_hint("needs"),
    ),
    "model in nobody's schema": Violation(
        [
            migrations.CreateModel(
                "Need",
                [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField())],
                {"db_table": '"nobodys"."needs"'},
            )
        ],
        (
            "operation 1, CreateModel, names the table nobodys.needs for inventory.Need, which is "
            'outside the schema "inventory".'
        ),
        table_hint("needs"),
    ),
    "model with a malformed table": Violation(
        [
            migrations.CreateModel(
                "Need",
                [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField())],
                {"db_table": '"inventory"."needs'},
            )
        ],
        (
            'operation 1, CreateModel, names the table "inventory"."needs for inventory.Need, '
            "which is malformed: '\"inventory\".\"needs' is not a table's name: write "
            '"schema"."table" with both parts in double quotes, or the table alone without any.'
        ),
        table_hint("need"),
    ),
    "unmanaged model of another's table": Violation(
        [
            migrations.CreateModel(
                "Need",
                [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())],
                {"managed": False, "db_table": '"hr"."employees"'},
            )
        ],
        (
            "operation 1, CreateModel, names the table hr.employees for inventory.Need, which is "
            'outside the schema "inventory".'
        ),
        table_hint("employees"),
    ),
    "added foreign key": Violation(
        [
            migrations.AddField(
                "Drug", "by", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
            )
        ],
        f"operation 1, AddField, relates inventory.Drug.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "added foreign key of the second operation": Violation(
        [
            "SELECT 1",
            migrations.AddField(
                "Drug", "by", models.ForeignKey("finance.Payment", models.CASCADE, null=True)
            ),
        ],
        f"operation 2, AddField, relates inventory.Drug.by to finance.payment, {FINANCE}.",
        DOMAIN_DEPENDS,
    ),
    "added many-to-many": Violation(
        [migrations.AddField("Drug", "by", models.ManyToManyField("hr.Employee"))],
        f"operation 1, AddField, relates inventory.Drug.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "many-to-many table in public": Violation(
        [
            migrations.AddField(
                "Drug", "centres", models.ManyToManyField("core.Centre", db_table="drug_centres")
            )
        ],
        (
            "operation 1, AddField, names the table public.drug_centres for "
            'inventory.Drug.centres, which is outside the schema "inventory".'
        ),
        table_hint("drug_centres"),
    ),
    "many-to-many table in another's schema": Violation(
        [
            migrations.AddField(
                "Drug",
                "centres",
                models.ManyToManyField("core.Centre", db_table='"hr"."drug_centres"'),
            )
        ],
        (
            "operation 1, AddField, names the table hr.drug_centres for inventory.Drug.centres, "
            'which is outside the schema "inventory".'
        ),
        table_hint("drug_centres"),
    ),
    "altered to a foreign key": Violation(
        [
            migrations.AlterField(
                "Lot", "quantity", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
            )
        ],
        f"operation 1, AlterField, relates inventory.Lot.quantity to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "foreign key altered to point across": Violation(
        [
            migrations.AlterField(
                "Lot", "drug", models.ForeignKey("hr.Drug", models.CASCADE, null=True)
            )
        ],
        f"operation 1, AlterField, relates inventory.Lot.drug to hr.drug, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "table moved to another's schema": Violation(
        [migrations.AlterModelTable("Drug", '"hr"."drugs"')],
        (
            "operation 1, AlterModelTable, names the table hr.drugs for inventory.Drug, which is "
            'outside the schema "inventory".'
        ),
        table_hint("drugs"),
    ),
    "table moved to public": Violation(
        [migrations.AlterModelTable("Drug", "stolen")],
        (
            "operation 1, AlterModelTable, names the table public.stolen for inventory.Drug, which "
            'is outside the schema "inventory".'
        ),
        table_hint("stolen"),
    ),
    "table named by default": Violation(
        [migrations.AlterModelTable("Drug", None)],
        (
            "operation 1, AlterModelTable, names the table public.inventory_drug for "
            'inventory.Drug, which is outside the schema "inventory".'
        ),
        table_hint("inventory_drug"),
    ),
    "state only": Violation(
        [
            migrations.SeparateDatabaseAndState(
                state_operations=[
                    migrations.AddField(
                        "Drug", "by", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
                    )
                ]
            )
        ],
        f"operation 1, SeparateDatabaseAndState, relates inventory.Drug.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "nested in two others": Violation(
        [
            migrations.SeparateDatabaseAndState(
                [],
                [
                    migrations.SeparateDatabaseAndState(
                        [],
                        [
                            migrations.AddField(
                                "Drug",
                                "by",
                                models.ForeignKey("hr.Employee", models.CASCADE, null=True),
                            )
                        ],
                    )
                ],
            )
        ],
        f"operation 1, SeparateDatabaseAndState, relates inventory.Drug.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "state of RunSQL": Violation(
        [
            migrations.RunSQL(
                "SELECT 1",
                state_operations=[
                    migrations.AddField(
                        "Drug", "by", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
                    )
                ],
            )
        ],
        f"operation 1, RunSQL, relates inventory.Drug.by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "third party's operation": Violation(
        [Tag("inventory", "Drug")],
        f"operation 1, Tag, relates inventory.Drug.tagged_by to hr.employee, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "third party's operation on another's model": Violation(
        [Register("hr", "Badge")],
        f"operation 1, Register, changes the model hr.Badge, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dependency": Violation(
        [],
        f"dependencies name hr.0001_initial, {HR}.",
        DOMAIN_DEPENDS,
        attributes={"dependencies": [("hr", "0001_initial")]},
    ),
    "run before another domain": Violation(
        [],
        f"run_before names hr.0001_initial, {HR}.",
        DOMAIN_DEPENDS,
        attributes={"run_before": [("hr", "0001_initial")]},
    ),
    "run before core": Violation(
        [],
        f"run_before names core.0001_initial, {CORE}.",
        CORE_DEPENDS,
        attributes={"run_before": [("core", "0001_initial")]},
    ),
    "dependency of core": Violation(
        [],
        f"dependencies name inventory.0001_initial, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
        attributes={"dependencies": [("inventory", "0001_initial")]},
    ),
    "core run before a domain": Violation(
        [],
        f"run_before names inventory.0001_initial, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
        attributes={"run_before": [("inventory", "0001_initial")]},
    ),
    "core's model with a foreign key": Violation(
        [
            migrations.CreateModel(
                "Need",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("drug", models.ForeignKey("inventory.Drug", models.CASCADE, null=True)),
                ],
                {"db_table": "needs"},
            )
        ],
        f"operation 1, CreateModel, relates core.Need.drug to inventory.drug, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core's added field": Violation(
        [
            migrations.AddField(
                "Centre", "drug", models.ForeignKey("inventory.Drug", models.CASCADE, null=True)
            )
        ],
        f"operation 1, AddField, relates core.Centre.drug to inventory.drug, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core's altered field": Violation(
        [
            migrations.AlterField(
                "Centre", "code", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
            )
        ],
        f"operation 1, AlterField, relates core.Centre.code to hr.employee, {HR}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core's added many-to-many": Violation(
        [migrations.AddField("Centre", "drugs", models.ManyToManyField("inventory.Drug"))],
        f"operation 1, AddField, relates core.Centre.drugs to inventory.drug, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core's table moved to a domain": Violation(
        [migrations.AlterModelTable("Centre", '"inventory"."centres"')],
        (
            "operation 1, AlterModelTable, names the table inventory.centres for core.Centre, "
            'which is outside the schema "public".'
        ),
        table_hint("centres", domain="core"),
        domain="core",
    ),
    "core's migration of a domain's model": Violation(
        [Tag("inventory", "Drug")],
        f"operation 1, Tag, changes the model inventory.Drug, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
    ),
}

# Refused by the guard, before the transaction commits.
DONE = {
    "foreign key to another domain": Violation(
        [
            (
                "ALTER TABLE inventory.lots ADD CONSTRAINT lots_by FOREIGN KEY (id)"
                " REFERENCES hr.employees"
            )
        ],
        f"operation 1, RunSQL, took ShareRowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "foreign key to another domain in Python": Violation(
        [
            in_python(
                "ALTER TABLE inventory.lots ADD CONSTRAINT lots_by FOREIGN KEY (id)"
                " REFERENCES hr.employees NOT VALID"
            )
        ],
        f"operation 1, RunPython, took ShareRowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "foreign key from another domain": Violation(
        [
            (
                "ALTER TABLE hr.employees ADD CONSTRAINT employees_drug FOREIGN KEY"
                " (id) REFERENCES inventory.drugs NOT VALID"
            )
        ],
        f"operation 1, RunSQL, took ShareRowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading": Violation(
        ["SELECT count(*) FROM hr.employees"],
        f"operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading in Python": Violation(
        [in_python("SELECT name FROM hr.employees")],
        f"operation 1, RunPython, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading a view": Violation(
        ["SELECT * FROM hr.names"],
        f"operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading in a DO block": Violation(
        ["DO $$ BEGIN PERFORM name FROM hr.employees; END $$"],
        f"operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading in a released savepoint": Violation(
        ["SAVEPOINT a; SELECT name FROM hr.employees; RELEASE SAVEPOINT a"],
        f"operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading for an insert of one's own": Violation(
        [("INSERT INTO inventory.drugs (id, code) SELECT id + 10, name FROM hr.employees")],
        f"operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "reading for update": Violation(
        ["SELECT name FROM hr.employees FOR UPDATE"],
        f"operation 1, RunSQL, took RowShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "copying the shape of a table": Violation(
        ["CREATE TABLE inventory.people (LIKE hr.employees)"],
        f"operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "insert": Violation(
        ["INSERT INTO hr.employees (id, name) VALUES (2, 'Malee')"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "insert in Python": Violation(
        [in_python("INSERT INTO hr.employees (id, name) VALUES (2, 'Malee')")],
        f"operation 1, RunPython, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "update": Violation(
        ["UPDATE hr.employees SET name = 'x'"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "update in Python": Violation(
        [in_python("UPDATE hr.employees SET name = 'x'")],
        f"operation 1, RunPython, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "delete": Violation(
        ["DELETE FROM hr.employees"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "delete of no rows": Violation(
        ["DELETE FROM hr.employees WHERE false"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "truncate": Violation(
        ["TRUNCATE hr.employees"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "truncate in Python": Violation(
        [in_python("TRUNCATE hr.employees")],
        f"operation 1, RunPython, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "lock": Violation(
        ["LOCK TABLE hr.employees IN EXCLUSIVE MODE"],
        f"operation 1, RunSQL, took ExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "analyze": Violation(
        ["ANALYZE hr.employees"],
        f"operation 1, RunSQL, took ShareUpdateExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "refresh of a materialised view": Violation(
        ["REFRESH MATERIALIZED VIEW hr.counts"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.counts, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "procedure of another domain": Violation(
        ["CALL hr.raise()"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "deferred trigger that writes": Violation(
        [
            (
                "CREATE FUNCTION inventory.later() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN DELETE FROM hr.employees; RETURN NULL; END $$; CREATE"
                " CONSTRAINT TRIGGER later AFTER INSERT ON inventory.drugs DEFERRABLE"
                " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION inventory.later();"
                " INSERT INTO inventory.drugs VALUES (5, 'late', NULL)"
            )
        ],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "added column": Violation(
        ["ALTER TABLE hr.employees ADD COLUMN note text"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "added column in Python": Violation(
        [in_python("ALTER TABLE hr.employees ADD COLUMN note text")],
        f"operation 1, RunPython, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "renamed table": Violation(
        ["ALTER TABLE hr.employees RENAME TO staff"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dropped table": Violation(
        ["DROP TABLE hr.employees CASCADE"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dropped table in Python": Violation(
        [in_python("DROP TABLE hr.parts")],
        f"operation 1, RunPython, took AccessExclusiveLock on hr.parts, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dropped by cascade": Violation(
        ["DROP TABLE inventory.legacy CASCADE"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.legacy, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dropped schema": Violation(
        ["DROP SCHEMA hr CASCADE"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.django_migrations_hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "index": Violation(
        ["CREATE INDEX staff_name ON hr.employees (name)"],
        f"operation 1, RunSQL, took ShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dropped index": Violation(
        ["DROP INDEX hr.employees_name"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "trigger": Violation(
        [
            (
                "CREATE TRIGGER stock BEFORE UPDATE ON hr.employees FOR EACH ROW"
                " EXECUTE FUNCTION inventory.touch()"
            )
        ],
        f"operation 1, RunSQL, took ShareRowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "own trigger with another's function": Violation(
        [
            (
                "CREATE TRIGGER stock BEFORE UPDATE ON inventory.drugs FOR EACH ROW"
                " EXECUTE FUNCTION hr.touch()"
            )
        ],
        (
            "operation 1, RunSQL, made trigger stock on inventory.drugs use function hr.touch(), "
            f"{HR}."
        ),
        DOMAIN_DEPENDS,
    ),
    "view over another's table": Violation(
        ["CREATE VIEW inventory.staff AS SELECT name FROM hr.employees"],
        f"operation 1, RunSQL, made view inventory.staff use table column hr.employees.name, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "view in another's schema": Violation(
        ["CREATE VIEW hr.one AS SELECT 1 AS one"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.one, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "view with another's function": Violation(
        ["CREATE VIEW inventory.pay AS SELECT hr.salary(1) AS pay"],
        f"operation 1, RunSQL, made view inventory.pay use function hr.salary(integer), {HR}.",
        DOMAIN_DEPENDS,
    ),
    "rule": Violation(
        ["CREATE RULE quiet AS ON INSERT TO hr.employees DO ALSO NOTHING"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "policy": Violation(
        ["CREATE POLICY all_rows ON hr.employees USING (true)"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "row security": Violation(
        ["ALTER TABLE hr.employees ENABLE ROW LEVEL SECURITY"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "function": Violation(
        ["CREATE FUNCTION hr.one() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        f"operation 1, RunSQL, made function hr.one(), {HR}.",
        DOMAIN_DEPENDS,
    ),
    "function in Python": Violation(
        [in_python("CREATE FUNCTION hr.one() RETURNS int LANGUAGE sql AS 'SELECT 1'")],
        f"operation 1, RunPython, made function hr.one(), {HR}.",
        DOMAIN_DEPENDS,
    ),
    "replaced function": Violation(
        [
            (
                "CREATE OR REPLACE FUNCTION hr.salary(int) RETURNS int LANGUAGE sql"
                " IMMUTABLE AS 'SELECT 0'"
            )
        ],
        f"operation 1, RunSQL, altered function hr.salary(integer), {HR}.",
        DOMAIN_DEPENDS,
    ),
    "dropped function": Violation(
        ["DROP FUNCTION hr.salary(int)"],
        f"operation 1, RunSQL, took AccessExclusiveLock on function salary in hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "type": Violation(
        ["CREATE TYPE hr.size AS ENUM ('s')"],
        f"operation 1, RunSQL, made type hr.size, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "new value of a type": Violation(
        ["ALTER TYPE hr.mood ADD VALUE 'odd'"],
        f"operation 1, RunSQL, altered type hr.mood, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "column of another's type": Violation(
        ["ALTER TABLE inventory.lots ADD COLUMN mood hr.mood"],
        f"operation 1, RunSQL, made table column inventory.lots.mood use type hr.mood, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "default with another's function": Violation(
        ["ALTER TABLE inventory.lots ALTER COLUMN quantity SET DEFAULT hr.salary(1)"],
        (
            "operation 1, RunSQL, made default value for inventory.lots.quantity use function "
            f"hr.salary(integer), {HR}."
        ),
        DOMAIN_DEPENDS,
    ),
    "sequence": Violation(
        ["CREATE SEQUENCE hr.more"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.more, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "next value of a sequence": Violation(
        ["SELECT nextval('hr.numbers')"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.numbers, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "default from another's sequence": Violation(
        [("ALTER TABLE inventory.lots ALTER COLUMN quantity SET DEFAULT nextval('hr.numbers')")],
        (
            "operation 1, RunSQL, made default value for inventory.lots.quantity use sequence "
            f"hr.numbers, {HR}."
        ),
        DOMAIN_DEPENDS,
    ),
    "comment on a table": Violation(
        ["COMMENT ON TABLE hr.employees IS 'x'"],
        f"operation 1, RunSQL, took ShareUpdateExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "comment on a function": Violation(
        ["COMMENT ON FUNCTION hr.salary(int) IS 'x'"],
        f"operation 1, RunSQL, took ShareUpdateExclusiveLock on function salary in hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "comment on a schema": Violation(
        ["COMMENT ON SCHEMA hr IS 'x'"],
        f"operation 1, RunSQL, took ShareUpdateExclusiveLock on schema hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "grant on a table": Violation(
        ["GRANT SELECT ON hr.employees TO PUBLIC"],
        f"operation 1, RunSQL, altered table hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "grant on a table in Python": Violation(
        [in_python("GRANT SELECT ON hr.employees TO PUBLIC")],
        f"operation 1, RunPython, altered table hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "grant on a schema": Violation(
        ["GRANT CREATE ON SCHEMA hr TO PUBLIC"],
        f"operation 1, RunSQL, altered schema hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "default privileges of another's schema": Violation(
        ["ALTER DEFAULT PRIVILEGES IN SCHEMA hr GRANT SELECT ON TABLES TO PUBLIC"],
        f"operation 1, RunSQL, made default acl for role postgres in schema hr on tables, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "default privileges of every schema": Violation(
        ["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"],
        "operation 1, RunSQL, altered the default privileges of every schema.",
        "Add IN SCHEMA inventory.",
    ),
    "renamed schema of another": Violation(
        ["ALTER SCHEMA hr RENAME TO people"],
        f"operation 1, RunSQL, altered schema hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "renamed schema of its own": Violation(
        ["ALTER SCHEMA inventory RENAME TO stock"],
        "operation 1, RunSQL, renamed the schema inventory.",
        'Do not rename the schema: everything finds the domain by the name "inventory".',
    ),
    "owner of a schema": Violation(
        ["ALTER SCHEMA hr OWNER TO pg_database_owner"],
        f"operation 1, RunSQL, altered schema hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "new schema": Violation(
        ["CREATE SCHEMA extra"],
        f"operation 1, RunSQL, made schema extra, {NOBODY}.",
        ONLY_INVENTORY,
    ),
    "table in another's schema": Violation(
        ["CREATE TABLE hr.more (id int)"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.more, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "table in another's schema in Python": Violation(
        [in_python("CREATE TABLE hr.more AS SELECT 1 AS id")],
        f"operation 1, RunPython, took AccessExclusiveLock on hr.more, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "partition of another's table": Violation(
        ["CREATE TABLE inventory.part PARTITION OF hr.parts DEFAULT"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.parts, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "table that inherits from another's": Violation(
        ["CREATE TABLE inventory.people () INHERITS (hr.employees)"],
        f"operation 1, RunSQL, took ShareUpdateExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "table moved to another's schema": Violation(
        ["ALTER TABLE inventory.lots SET SCHEMA hr"],
        f"operation 1, RunSQL, moved inventory.lots to the schema hr, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "table moved from another's schema": Violation(
        ["ALTER TABLE hr.parts SET SCHEMA inventory"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.parts, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "table moved to public": Violation(
        ["ALTER TABLE inventory.lots SET SCHEMA public"],
        f"operation 1, RunSQL, moved inventory.lots to the schema public, {CORE}.",
        CORE_SHAPE,
    ),
    "table in public": Violation(
        ["CREATE TABLE needs (id int)"],
        f"operation 1, RunSQL, made public.needs, {CORE}.",
        IN_INVENTORY,
    ),
    "table in public in Python": Violation(
        [in_python("CREATE TABLE public.needs (id int)")],
        f"operation 1, RunPython, made public.needs, {CORE}.",
        IN_INVENTORY,
    ),
    "view in public": Violation(
        ["CREATE VIEW public.needs AS SELECT code FROM inventory.drugs"],
        f"operation 1, RunSQL, made public.needs, {CORE}.",
        IN_INVENTORY,
    ),
    "function in public": Violation(
        ["CREATE FUNCTION needed() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        f"operation 1, RunSQL, made function public.needed(), {CORE}.",
        IN_INVENTORY,
    ),
    "type in public": Violation(
        ["CREATE TYPE size AS ENUM ('s')"],
        f"operation 1, RunSQL, made type public.size, {CORE}.",
        IN_INVENTORY,
    ),
    "index of core's table": Violation(
        ["CREATE INDEX users_name ON users (name)"],
        f"operation 1, RunSQL, took ShareLock on public.users, {CORE}.",
        CORE_SHAPE,
    ),
    "trigger of core's table": Violation(
        [
            (
                "CREATE TRIGGER stock BEFORE UPDATE ON users FOR EACH ROW EXECUTE"
                " FUNCTION inventory.touch()"
            )
        ],
        (
            f"operation 1, RunSQL, took ShareRowExclusiveLock on public.users, {CORE}, and changed "
            "its trigger stock."
        ),
        CORE_SHAPE,
    ),
    "trigger behind a foreign key": Violation(
        [
            (
                "ALTER TABLE inventory.lots ADD COLUMN by uuid REFERENCES users;"
                " CREATE TRIGGER stock BEFORE UPDATE ON users FOR EACH ROW EXECUTE"
                " FUNCTION inventory.touch()"
            )
        ],
        (
            f"operation 1, RunSQL, took ShareRowExclusiveLock on public.users, {CORE}, and changed "
            "its trigger stock."
        ),
        CORE_SHAPE,
    ),
    "column of core's table": Violation(
        ["ALTER TABLE users ADD COLUMN stock int"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.users, {CORE}, and changed "
            "its column stock."
        ),
        CORE_SHAPE,
    ),
    "column of core's table in Python": Violation(
        [in_python("ALTER TABLE users ADD COLUMN stock int")],
        (
            f"operation 1, RunPython, took AccessExclusiveLock on public.users, {CORE}, and "
            "changed its column stock."
        ),
        CORE_SHAPE,
    ),
    "default of core's column": Violation(
        ["ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.users, {CORE}, and changed "
            "its column name."
        ),
        CORE_SHAPE,
    ),
    "constraint of core's table": Violation(
        ["ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '')"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.users, {CORE}, and changed "
            "its constraint named."
        ),
        CORE_SHAPE,
    ),
    "foreign key from core": Violation(
        [
            (
                "ALTER TABLE audit ADD CONSTRAINT audit_drug FOREIGN KEY (id)"
                " REFERENCES inventory.drugs NOT VALID"
            )
        ],
        (
            f"operation 1, RunSQL, took ShareRowExclusiveLock on public.audit, {CORE}, and changed "
            "its foreign keys."
        ),
        CORE_SHAPE,
    ),
    "dropped table of core": Violation(
        ["DROP TABLE audit"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.audit, {CORE}, and no "
            "foreign key explains it."
        ),
        CORE_SHAPE,
    ),
    "dropped foreign key of core": Violation(
        ["ALTER TABLE audit DROP CONSTRAINT audit_actor_fkey"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.audit, {CORE}, and no "
            "foreign key explains it."
        ),
        CORE_SHAPE,
    ),
    "lock on core's table": Violation(
        ["LOCK TABLE users IN ACCESS EXCLUSIVE MODE"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.users, {CORE}, and no "
            "foreign key explains it."
        ),
        CORE_SHAPE,
    ),
    "rows of core": Violation(
        ["INSERT INTO users (id, name) VALUES (gen_random_uuid(), 'x')"],
        f"operation 1, RunSQL, took RowExclusiveLock on public.users, {CORE}.",
        CORE_ROWS,
    ),
    "rows of core in Python": Violation(
        [in_python("UPDATE users SET name = 'x'")],
        f"operation 1, RunPython, took RowExclusiveLock on public.users, {CORE}.",
        CORE_ROWS,
    ),
    "rows of core through the model": Violation(
        [with_models(lambda apps: apps.get_model("core", "Centre").objects.create(code="B"))],
        f"operation 1, RunPython, took RowExclusiveLock on public.centres, {CORE}.",
        CORE_ROWS,
    ),
    "deleted rows of core": Violation(
        ["DELETE FROM centres"],
        f"operation 1, RunSQL, took RowExclusiveLock on public.centres, {CORE}.",
        CORE_ROWS,
    ),
    "rows of core by cascade": Violation(
        ["TRUNCATE audit"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.audit, {CORE}, and changed "
            "the table itself."
        ),
        CORE_SHAPE,
    ),
    "shape of core with writes_core": Violation(
        ["ALTER TABLE users ADD COLUMN stock int"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on public.users, {CORE}, and changed "
            "its column stock."
        ),
        CORE_SHAPE,
        attributes={"writes_core": True},
    ),
    "another domain with writes_core": Violation(
        ["UPDATE hr.employees SET name = 'x'"],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
        attributes={"writes_core": True},
    ),
    "comment on core's table": Violation(
        ["COMMENT ON TABLE users IS 'x'"],
        f"operation 1, RunSQL, took ShareUpdateExclusiveLock on public.users, {CORE}.",
        CORE_SHAPE,
    ),
    "grant on core's table": Violation(
        ["GRANT SELECT ON users TO PUBLIC"],
        f"operation 1, RunSQL, altered table public.users, {CORE}.",
        CORE_SHAPE,
    ),
    "core's function replaced": Violation(
        [
            (
                "CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql"
                " IMMUTABLE AS 'SELECT 0'"
            )
        ],
        f"operation 1, RunSQL, altered function public.twice(integer), {CORE}.",
        CORE_SHAPE,
    ),
    "core's sequence": Violation(
        ["SELECT nextval('public.numbers')"],
        f"operation 1, RunSQL, took RowExclusiveLock on public.numbers, {CORE}.",
        CORE_ROWS,
    ),
    "nobody's schema": Violation(
        ["CREATE TABLE nobodys.needs (id int)"],
        f"operation 1, RunSQL, took AccessExclusiveLock on nobodys.needs, {NOBODY}.",
        ONLY_INVENTORY,
    ),
    "event trigger": Violation(
        [
            (
                "CREATE FUNCTION inventory.seen() RETURNS event_trigger LANGUAGE"
                " plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER seen ON ddl_command_end"
                " EXECUTE FUNCTION inventory.seen()"
            )
        ],
        (
            "operation 1, RunSQL, created or altered event trigger seen, which concerns the whole"
            " database."
        ),
        WHOLE_DATABASE,
    ),
    "second of three operations": Violation(
        ["SELECT 1", in_python("UPDATE hr.employees SET name = name"), "SELECT 2"],
        f"operation 2, RunPython, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "database side of SeparateDatabaseAndState": Violation(
        [migrations.SeparateDatabaseAndState([migrations.RunSQL("DELETE FROM hr.employees")])],
        f"operation 1, SeparateDatabaseAndState, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "third party's operation": Violation(
        [Purge()],
        f"operation 1, Purge, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    ),
    "default of a field": Violation(
        [
            migrations.AddField(
                "Drug",
                "pay",
                models.IntegerField(db_default=models.Func(models.Value(1), function="hr.salary")),
            )
        ],
        (
            "operation 1, AddField, made default value for inventory.drugs.pay use function "
            f"hr.salary(integer), {HR}."
        ),
        DOMAIN_DEPENDS,
    ),
    "index over another's function": Violation(
        [
            migrations.AddIndex(
                "Lot", models.Index(models.Func("quantity", function="hr.salary"), name="lots_pay")
            )
        ],
        (
            "operation 1, AddIndex, made index inventory.lots_pay use function "
            f"hr.salary(integer), {HR}."
        ),
        DOMAIN_DEPENDS,
    ),
    "constraint over another's function": Violation(
        [
            migrations.AddConstraint(
                "Lot",
                models.CheckConstraint(
                    condition=models.Q(
                        quantity__lt=models.Func(
                            "quantity", function="hr.salary", output_field=models.IntegerField()
                        )
                    ),
                    name="lots_pay",
                ),
            )
        ],
        (
            "operation 1, AddConstraint, made table constraint lots_pay on inventory.lots use "
            f"function hr.salary(integer), {HR}."
        ),
        DOMAIN_DEPENDS,
    ),
    "core reads a domain": Violation(
        ["SELECT count(*) FROM inventory.drugs"],
        f"operation 1, RunSQL, took AccessShareLock on inventory.drugs, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core writes a domain's rows in Python": Violation(
        [in_python("UPDATE inventory.drugs SET code = 'x'")],
        f"operation 1, RunPython, took RowExclusiveLock on inventory.drugs, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core alters a domain's table": Violation(
        ["ALTER TABLE inventory.drugs ADD COLUMN note text"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on inventory.drugs, {INVENTORY}, and "
            "changed its column note."
        ),
        CORE_DEPENDS,
        domain="core",
    ),
    "core references a domain": Violation(
        [
            (
                "ALTER TABLE audit ADD CONSTRAINT audit_drug FOREIGN KEY (id)"
                " REFERENCES inventory.drugs NOT VALID"
            )
        ],
        (
            f"operation 1, RunSQL, took ShareRowExclusiveLock on inventory.drugs, {INVENTORY}, and "
            "changed its foreign keys."
        ),
        CORE_DEPENDS,
        domain="core",
    ),
    "core's view over a domain": Violation(
        ["CREATE VIEW codes AS SELECT code FROM inventory.drugs"],
        (
            "operation 1, RunSQL, made view public.codes use table column inventory.drugs.code, "
            f"{INVENTORY}."
        ),
        CORE_DEPENDS,
        domain="core",
    ),
    "core makes a table in a domain": Violation(
        ["CREATE TABLE hr.centres (id int)"],
        f"operation 1, RunSQL, took AccessExclusiveLock on hr.centres, {HR}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core drops a domain's foreign keys": Violation(
        ["DROP TABLE users CASCADE"],
        (
            f"operation 1, RunSQL, took AccessExclusiveLock on hr.employees, {HR}, and dropped its "
            "constraint employees_actor_fkey."
        ),
        CORE_DEPENDS,
        domain="core",
    ),
    "core's function in a domain": Violation(
        ["CREATE FUNCTION hr.one() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        f"operation 1, RunSQL, made function hr.one(), {HR}.",
        CORE_DEPENDS,
        domain="core",
    ),
    "core's trigger on a domain's table": Violation(
        [
            (
                "CREATE TRIGGER seen BEFORE UPDATE ON inventory.drugs FOR EACH ROW"
                " EXECUTE FUNCTION public.touch()"
            )
        ],
        (
            f"operation 1, RunSQL, took ShareRowExclusiveLock on inventory.drugs, {INVENTORY}, and "
            "changed its trigger seen."
        ),
        CORE_DEPENDS,
        domain="core",
    ),
    "reverting that writes": Violation(
        [migrations.RunSQL("SELECT 1", "UPDATE hr.employees SET name = 'x'")],
        f"operation 1, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
        backwards=True,
    ),
    "reverting that makes a table in public": Violation(
        [migrations.RunSQL("SELECT 1", "CREATE TABLE public.old (id int)")],
        f"operation 1, RunSQL, made public.old, {CORE}.",
        IN_INVENTORY,
        backwards=True,
    ),
    "reverting in Python": Violation(
        [migrations.RunPython(migrations.RunPython.noop, python("DELETE FROM hr.employees"))],
        f"operation 1, RunPython, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
        backwards=True,
    ),
    "reverting of core that reads": Violation(
        [migrations.RunSQL("SELECT 1", "SELECT 1 FROM inventory.drugs")],
        f"operation 1, RunSQL, took AccessShareLock on inventory.drugs, {INVENTORY}.",
        CORE_DEPENDS,
        domain="core",
        backwards=True,
    ),
}
