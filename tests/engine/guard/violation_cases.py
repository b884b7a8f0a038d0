"""Migrations that break the rule, and what is said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from tests.engine.guard.database import in_python, python, with_models
from tests.engine.guard.third_party import Purge, Register, Tag

USES = (
    "A domain uses itself and core, nothing else: keep the other's id and"
    " resolve it in code, or share the table in core."
)
CORE_USES = "Core uses no domain: move what both need to core, or do it in the domain's migration."
CORE_ROWS = (
    "Set writes_core = True on the migration if it has to write rows of"
    " core, or write them in a migration of core."
)
CORE_SHAPE = (
    "Change core's objects in a migration of core. All that a domain may"
    " add to core's tables is a foreign key of its own."
)
NOT_IN_PUBLIC = (
    'Make it in the schema "inventory", qualified; what every domain needs'
    " is made in a migration of core."
)
NOBODYS = 'Make and change objects in the schema "inventory" only, qualified.'


@dataclass(frozen=True)
class Violation:
    """A migration that is refused.

    Attributes:
        operations: strings are SQL.
        did: the message behind "Migration … is refused: its ".
        attributes: of the migration.
    """

    operations: Sequence[Operation | str]
    did: str
    hint: str
    domain: str = "inventory"
    attributes: dict[str, object] = field(default_factory=dict)
    backwards: bool = False


# Refused before anything runs.
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
        (
            "operation 1, CreateModel, relates inventory.Need.by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, CreateModel, relates inventory.Need.by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, CreateModel, relates inventory.Need.by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, CreateModel, relates inventory.Need.by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, CreateModel, relates inventory.Need.drugs to"
            ' hr.position, which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, CreateModel, makes inventory.Need inherit from"
            ' hr.employee, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "proxy": Violation(
        [migrations.CreateModel("Need", [], {"proxy": True}, bases=("hr.employee",))],
        (
            "operation 1, CreateModel, makes inventory.Need inherit from"
            ' hr.employee, which belongs to the domain "hr".'
        ),
        USES,
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
            "operation 1, CreateModel, names the table public.inventory_need for"
            ' inventory.Need, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."inventory_need"\''
        ),
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
            "operation 1, CreateModel, names the table hr.needs for"
            ' inventory.Need, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."needs"\''
        ),
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
            "operation 1, CreateModel, names the table nobodys.needs for"
            ' inventory.Need, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."needs"\''
        ),
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
            'operation 1, CreateModel, names the table "inventory"."needs for'
            ' inventory.Need, which is malformed: \'"inventory"."needs\' is not a'
            ' table\'s name: write "schema"."table" with both parts in double'
            " quotes, or the table alone without any."
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."need"\''
        ),
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
            "operation 1, CreateModel, names the table hr.employees for"
            ' inventory.Need, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."employees"\''
        ),
    ),
    "added foreign key": Violation(
        [
            migrations.AddField(
                "Drug", "by", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
            )
        ],
        (
            "operation 1, AddField, relates inventory.Drug.by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "added foreign key of the second operation": Violation(
        [
            "SELECT 1",
            migrations.AddField(
                "Drug", "by", models.ForeignKey("finance.Payment", models.CASCADE, null=True)
            ),
        ],
        (
            "operation 2, AddField, relates inventory.Drug.by to finance.payment,"
            ' which belongs to the domain "finance".'
        ),
        USES,
    ),
    "added many-to-many": Violation(
        [migrations.AddField("Drug", "by", models.ManyToManyField("hr.Employee"))],
        (
            "operation 1, AddField, relates inventory.Drug.by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "many-to-many table in public": Violation(
        [
            migrations.AddField(
                "Drug", "centres", models.ManyToManyField("core.Centre", db_table="drug_centres")
            )
        ],
        (
            "operation 1, AddField, names the table public.drug_centres for"
            ' inventory.Drug.centres, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."drug_centres"\''
        ),
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
            "operation 1, AddField, names the table hr.drug_centres for"
            ' inventory.Drug.centres, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."drug_centres"\''
        ),
    ),
    "altered to a foreign key": Violation(
        [
            migrations.AlterField(
                "Lot", "quantity", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
            )
        ],
        (
            "operation 1, AlterField, relates inventory.Lot.quantity to"
            ' hr.employee, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "foreign key altered to point across": Violation(
        [
            migrations.AlterField(
                "Lot", "drug", models.ForeignKey("hr.Drug", models.CASCADE, null=True)
            )
        ],
        (
            "operation 1, AlterField, relates inventory.Lot.drug to hr.drug, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "table moved to another's schema": Violation(
        [migrations.AlterModelTable("Drug", '"hr"."drugs"')],
        (
            "operation 1, AlterModelTable, names the table hr.drugs for"
            ' inventory.Drug, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."drugs"\''
        ),
    ),
    "table moved to public": Violation(
        [migrations.AlterModelTable("Drug", "stolen")],
        (
            "operation 1, AlterModelTable, names the table public.stolen for"
            ' inventory.Drug, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."stolen"\''
        ),
    ),
    "table named by default": Violation(
        [migrations.AlterModelTable("Drug", None)],
        (
            "operation 1, AlterModelTable, names the table public.inventory_drug"
            ' for inventory.Drug, which is outside the schema "inventory".'
        ),
        (
            'Every table of the domain is in the schema "inventory": db_table ='
            ' \'"inventory"."inventory_drug"\''
        ),
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
        (
            "operation 1, SeparateDatabaseAndState, relates inventory.Drug.by to"
            ' hr.employee, which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, SeparateDatabaseAndState, relates inventory.Drug.by to"
            ' hr.employee, which belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, RunSQL, relates inventory.Drug.by to hr.employee, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "third party's operation": Violation(
        [Tag("inventory", "Drug")],
        (
            "operation 1, Tag, relates inventory.Drug.tagged_by to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "third party's operation on another's model": Violation(
        [Register("hr", "Badge")],
        ('operation 1, Register, changes the model hr.Badge, which belongs to the domain "hr".'),
        USES,
    ),
    "dependency": Violation(
        [],
        'dependencies name hr.0001_initial, which belongs to the domain "hr".',
        USES,
        attributes={"dependencies": [("hr", "0001_initial")]},
    ),
    "run before another domain": Violation(
        [],
        'run_before names hr.0001_initial, which belongs to the domain "hr".',
        USES,
        attributes={"run_before": [("hr", "0001_initial")]},
    ),
    "run before core": Violation(
        [],
        "run_before names core.0001_initial, which belongs to core.",
        CORE_USES,
        attributes={"run_before": [("core", "0001_initial")]},
    ),
    "dependency of core": Violation(
        [],
        ('dependencies name inventory.0001_initial, which belongs to the domain "inventory".'),
        CORE_USES,
        domain="core",
        attributes={"dependencies": [("inventory", "0001_initial")]},
    ),
    "core run before a domain": Violation(
        [],
        ('run_before names inventory.0001_initial, which belongs to the domain "inventory".'),
        CORE_USES,
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
        (
            "operation 1, CreateModel, relates core.Need.drug to inventory.drug,"
            ' which belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core's added field": Violation(
        [
            migrations.AddField(
                "Centre", "drug", models.ForeignKey("inventory.Drug", models.CASCADE, null=True)
            )
        ],
        (
            "operation 1, AddField, relates core.Centre.drug to inventory.drug,"
            ' which belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core's altered field": Violation(
        [
            migrations.AlterField(
                "Centre", "code", models.ForeignKey("hr.Employee", models.CASCADE, null=True)
            )
        ],
        (
            "operation 1, AlterField, relates core.Centre.code to hr.employee,"
            ' which belongs to the domain "hr".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core's added many-to-many": Violation(
        [migrations.AddField("Centre", "drugs", models.ManyToManyField("inventory.Drug"))],
        (
            "operation 1, AddField, relates core.Centre.drugs to inventory.drug,"
            ' which belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core's table moved to a domain": Violation(
        [migrations.AlterModelTable("Centre", '"inventory"."centres"')],
        (
            "operation 1, AlterModelTable, names the table inventory.centres for"
            ' core.Centre, which is outside the schema "public".'
        ),
        "Every table of the domain is in the schema \"public\": db_table = 'centres'",
        domain="core",
    ),
    "core's migration of a domain's model": Violation(
        [Tag("inventory", "Drug")],
        (
            "operation 1, Tag, changes the model inventory.Drug, which belongs to"
            ' the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
}

# Seen by what it did, before it commits.
DONE = {
    "foreign key to another domain": Violation(
        [
            (
                "ALTER TABLE inventory.lots ADD CONSTRAINT lots_by FOREIGN KEY (id)"
                " REFERENCES hr.employees"
            )
        ],
        (
            "operation 1, RunSQL, took ShareRowExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "foreign key to another domain in Python": Violation(
        [
            in_python(
                "ALTER TABLE inventory.lots ADD CONSTRAINT lots_by FOREIGN KEY (id)"
                " REFERENCES hr.employees NOT VALID"
            )
        ],
        (
            "operation 1, RunPython, took ShareRowExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "foreign key from another domain": Violation(
        [
            (
                "ALTER TABLE hr.employees ADD CONSTRAINT employees_drug FOREIGN KEY"
                " (id) REFERENCES inventory.drugs NOT VALID"
            )
        ],
        (
            "operation 1, RunSQL, took ShareRowExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading": Violation(
        ["SELECT count(*) FROM hr.employees"],
        (
            "operation 1, RunSQL, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading in Python": Violation(
        [in_python("SELECT name FROM hr.employees")],
        (
            "operation 1, RunPython, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading a view": Violation(
        ["SELECT * FROM hr.names"],
        (
            "operation 1, RunSQL, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading in a DO block": Violation(
        ["DO $$ BEGIN PERFORM name FROM hr.employees; END $$"],
        (
            "operation 1, RunSQL, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading in a released savepoint": Violation(
        ["SAVEPOINT a; SELECT name FROM hr.employees; RELEASE SAVEPOINT a"],
        (
            "operation 1, RunSQL, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading for an insert of one's own": Violation(
        [("INSERT INTO inventory.drugs (id, code) SELECT id + 10, name FROM hr.employees")],
        (
            "operation 1, RunSQL, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "reading for update": Violation(
        ["SELECT name FROM hr.employees FOR UPDATE"],
        (
            "operation 1, RunSQL, took RowShareLock on hr.employees, which belongs"
            ' to the domain "hr".'
        ),
        USES,
    ),
    "copying the shape of a table": Violation(
        ["CREATE TABLE inventory.people (LIKE hr.employees)"],
        (
            "operation 1, RunSQL, took AccessShareLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "insert": Violation(
        ["INSERT INTO hr.employees (id, name) VALUES (2, 'Malee')"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "insert in Python": Violation(
        [in_python("INSERT INTO hr.employees (id, name) VALUES (2, 'Malee')")],
        (
            "operation 1, RunPython, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "update": Violation(
        ["UPDATE hr.employees SET name = 'x'"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "update in Python": Violation(
        [in_python("UPDATE hr.employees SET name = 'x'")],
        (
            "operation 1, RunPython, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "delete": Violation(
        ["DELETE FROM hr.employees"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "delete of no rows": Violation(
        ["DELETE FROM hr.employees WHERE false"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "truncate": Violation(
        ["TRUNCATE hr.employees"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "truncate in Python": Violation(
        [in_python("TRUNCATE hr.employees")],
        (
            "operation 1, RunPython, took AccessExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "lock": Violation(
        ["LOCK TABLE hr.employees IN EXCLUSIVE MODE"],
        (
            "operation 1, RunSQL, took ExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "analyze": Violation(
        ["ANALYZE hr.employees"],
        (
            "operation 1, RunSQL, took ShareUpdateExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "refresh of a materialised view": Violation(
        ["REFRESH MATERIALIZED VIEW hr.counts"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.counts, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "procedure of another domain": Violation(
        ["CALL hr.raise()"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
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
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "added column": Violation(
        ["ALTER TABLE hr.employees ADD COLUMN note text"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "added column in Python": Violation(
        [in_python("ALTER TABLE hr.employees ADD COLUMN note text")],
        (
            "operation 1, RunPython, took AccessExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "renamed table": Violation(
        ["ALTER TABLE hr.employees RENAME TO staff"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "dropped table": Violation(
        ["DROP TABLE hr.employees CASCADE"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "dropped table in Python": Violation(
        [in_python("DROP TABLE hr.parts")],
        (
            "operation 1, RunPython, took AccessExclusiveLock on hr.parts, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "dropped by cascade": Violation(
        ["DROP TABLE inventory.legacy CASCADE"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.legacy, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "dropped schema": Violation(
        ["DROP SCHEMA hr CASCADE"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on"
            ' hr.django_migrations_hr, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "index": Violation(
        ["CREATE INDEX staff_name ON hr.employees (name)"],
        ('operation 1, RunSQL, took ShareLock on hr.employees, which belongs to the domain "hr".'),
        USES,
    ),
    "dropped index": Violation(
        ["DROP INDEX hr.employees_name"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "trigger": Violation(
        [
            (
                "CREATE TRIGGER stock BEFORE UPDATE ON hr.employees FOR EACH ROW"
                " EXECUTE FUNCTION inventory.touch()"
            )
        ],
        (
            "operation 1, RunSQL, took ShareRowExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "own trigger with another's function": Violation(
        [
            (
                "CREATE TRIGGER stock BEFORE UPDATE ON inventory.drugs FOR EACH ROW"
                " EXECUTE FUNCTION hr.touch()"
            )
        ],
        (
            "operation 1, RunSQL, made trigger stock on inventory.drugs use"
            ' function hr.touch(), which belongs to the domain "hr".'
        ),
        USES,
    ),
    "view over another's table": Violation(
        ["CREATE VIEW inventory.staff AS SELECT name FROM hr.employees"],
        (
            "operation 1, RunSQL, made view inventory.staff use table column"
            ' hr.employees.name, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "view in another's schema": Violation(
        ["CREATE VIEW hr.one AS SELECT 1 AS one"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.one, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "view with another's function": Violation(
        ["CREATE VIEW inventory.pay AS SELECT hr.salary(1) AS pay"],
        (
            "operation 1, RunSQL, made view inventory.pay use"
            ' function hr.salary(integer), which belongs to the domain "hr".'
        ),
        USES,
    ),
    "rule": Violation(
        ["CREATE RULE quiet AS ON INSERT TO hr.employees DO ALSO NOTHING"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "policy": Violation(
        ["CREATE POLICY all_rows ON hr.employees USING (true)"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "row security": Violation(
        ["ALTER TABLE hr.employees ENABLE ROW LEVEL SECURITY"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "function": Violation(
        ["CREATE FUNCTION hr.one() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        ('operation 1, RunSQL, made function hr.one(), which belongs to the domain "hr".'),
        USES,
    ),
    "function in Python": Violation(
        [in_python("CREATE FUNCTION hr.one() RETURNS int LANGUAGE sql AS 'SELECT 1'")],
        ('operation 1, RunPython, made function hr.one(), which belongs to the domain "hr".'),
        USES,
    ),
    "replaced function": Violation(
        [
            (
                "CREATE OR REPLACE FUNCTION hr.salary(int) RETURNS int LANGUAGE sql"
                " IMMUTABLE AS 'SELECT 0'"
            )
        ],
        (
            "operation 1, RunSQL, altered function hr.salary(integer), which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "dropped function": Violation(
        ["DROP FUNCTION hr.salary(int)"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on function salary in"
            ' hr, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "type": Violation(
        ["CREATE TYPE hr.size AS ENUM ('s')"],
        'operation 1, RunSQL, made type hr.size, which belongs to the domain "hr".',
        USES,
    ),
    "new value of a type": Violation(
        ["ALTER TYPE hr.mood ADD VALUE 'odd'"],
        ('operation 1, RunSQL, altered type hr.mood, which belongs to the domain "hr".'),
        USES,
    ),
    "column of another's type": Violation(
        ["ALTER TABLE inventory.lots ADD COLUMN mood hr.mood"],
        (
            "operation 1, RunSQL, made table column inventory.lots.mood use type"
            ' hr.mood, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "default with another's function": Violation(
        ["ALTER TABLE inventory.lots ALTER COLUMN quantity SET DEFAULT hr.salary(1)"],
        (
            "operation 1, RunSQL, made default value for inventory.lots.quantity"
            ' use function hr.salary(integer), which belongs to the domain "hr".'
        ),
        USES,
    ),
    "sequence": Violation(
        ["CREATE SEQUENCE hr.more"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.more, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "next value of a sequence": Violation(
        ["SELECT nextval('hr.numbers')"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.numbers, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "default from another's sequence": Violation(
        [("ALTER TABLE inventory.lots ALTER COLUMN quantity SET DEFAULT nextval('hr.numbers')")],
        (
            "operation 1, RunSQL, made default value for inventory.lots.quantity"
            ' use sequence hr.numbers, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "comment on a table": Violation(
        ["COMMENT ON TABLE hr.employees IS 'x'"],
        (
            "operation 1, RunSQL, took ShareUpdateExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "comment on a function": Violation(
        ["COMMENT ON FUNCTION hr.salary(int) IS 'x'"],
        (
            "operation 1, RunSQL, took ShareUpdateExclusiveLock on function salary"
            ' in hr, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "comment on a schema": Violation(
        ["COMMENT ON SCHEMA hr IS 'x'"],
        (
            "operation 1, RunSQL, took ShareUpdateExclusiveLock on schema hr,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "grant on a table": Violation(
        ["GRANT SELECT ON hr.employees TO PUBLIC"],
        ('operation 1, RunSQL, altered table hr.employees, which belongs to the domain "hr".'),
        USES,
    ),
    "grant on a table in Python": Violation(
        [in_python("GRANT SELECT ON hr.employees TO PUBLIC")],
        ('operation 1, RunPython, altered table hr.employees, which belongs to the domain "hr".'),
        USES,
    ),
    "grant on a schema": Violation(
        ["GRANT CREATE ON SCHEMA hr TO PUBLIC"],
        'operation 1, RunSQL, altered schema hr, which belongs to the domain "hr".',
        USES,
    ),
    "default privileges of another's schema": Violation(
        ["ALTER DEFAULT PRIVILEGES IN SCHEMA hr GRANT SELECT ON TABLES TO PUBLIC"],
        (
            "operation 1, RunSQL, made default acl for role postgres in schema hr"
            ' on tables, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "default privileges of every schema": Violation(
        ["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"],
        "operation 1, RunSQL, altered the default privileges of every schema.",
        "Add IN SCHEMA inventory.",
    ),
    "renamed schema of another": Violation(
        ["ALTER SCHEMA hr RENAME TO people"],
        'operation 1, RunSQL, altered schema hr, which belongs to the domain "hr".',
        USES,
    ),
    "renamed schema of its own": Violation(
        ["ALTER SCHEMA inventory RENAME TO stock"],
        "operation 1, RunSQL, renamed the schema inventory.",
        'Leave the schema its name: everything finds the domain under "inventory".',
    ),
    "owner of a schema": Violation(
        ["ALTER SCHEMA hr OWNER TO pg_database_owner"],
        'operation 1, RunSQL, altered schema hr, which belongs to the domain "hr".',
        USES,
    ),
    "new schema": Violation(
        ["CREATE SCHEMA extra"],
        "operation 1, RunSQL, made schema extra, which belongs to no domain.",
        NOBODYS,
    ),
    "table in another's schema": Violation(
        ["CREATE TABLE hr.more (id int)"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.more, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "table in another's schema in Python": Violation(
        [in_python("CREATE TABLE hr.more AS SELECT 1 AS id")],
        (
            "operation 1, RunPython, took AccessExclusiveLock on hr.more, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "partition of another's table": Violation(
        ["CREATE TABLE inventory.part PARTITION OF hr.parts DEFAULT"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.parts, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "table that inherits from another's": Violation(
        ["CREATE TABLE inventory.people () INHERITS (hr.employees)"],
        (
            "operation 1, RunSQL, took ShareUpdateExclusiveLock on hr.employees,"
            ' which belongs to the domain "hr".'
        ),
        USES,
    ),
    "table moved to another's schema": Violation(
        ["ALTER TABLE inventory.lots SET SCHEMA hr"],
        (
            "operation 1, RunSQL, moved inventory.lots to the schema hr, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "table moved from another's schema": Violation(
        ["ALTER TABLE hr.parts SET SCHEMA inventory"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.parts, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "table moved to public": Violation(
        ["ALTER TABLE inventory.lots SET SCHEMA public"],
        ("operation 1, RunSQL, moved inventory.lots to the schema public, which belongs to core."),
        CORE_SHAPE,
    ),
    "table in public": Violation(
        ["CREATE TABLE needs (id int)"],
        "operation 1, RunSQL, made public.needs, which belongs to core.",
        NOT_IN_PUBLIC,
    ),
    "table in public in Python": Violation(
        [in_python("CREATE TABLE public.needs (id int)")],
        "operation 1, RunPython, made public.needs, which belongs to core.",
        NOT_IN_PUBLIC,
    ),
    "view in public": Violation(
        ["CREATE VIEW public.needs AS SELECT code FROM inventory.drugs"],
        "operation 1, RunSQL, made public.needs, which belongs to core.",
        NOT_IN_PUBLIC,
    ),
    "function in public": Violation(
        ["CREATE FUNCTION needed() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        "operation 1, RunSQL, made function public.needed(), which belongs to core.",
        NOT_IN_PUBLIC,
    ),
    "type in public": Violation(
        ["CREATE TYPE size AS ENUM ('s')"],
        "operation 1, RunSQL, made type public.size, which belongs to core.",
        NOT_IN_PUBLIC,
    ),
    "index of core's table": Violation(
        ["CREATE INDEX users_name ON users (name)"],
        "operation 1, RunSQL, took ShareLock on public.users, which belongs to core.",
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
            "operation 1, RunSQL, took ShareRowExclusiveLock on public.users,"
            " which belongs to core, and changed its trigger stock."
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
            "operation 1, RunSQL, took ShareRowExclusiveLock on public.users,"
            " which belongs to core, and changed its trigger stock."
        ),
        CORE_SHAPE,
    ),
    "column of core's table": Violation(
        ["ALTER TABLE users ADD COLUMN stock int"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.users, which"
            " belongs to core, and changed its column stock."
        ),
        CORE_SHAPE,
    ),
    "column of core's table in Python": Violation(
        [in_python("ALTER TABLE users ADD COLUMN stock int")],
        (
            "operation 1, RunPython, took AccessExclusiveLock on public.users,"
            " which belongs to core, and changed its column stock."
        ),
        CORE_SHAPE,
    ),
    "default of core's column": Violation(
        ["ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.users, which"
            " belongs to core, and changed its column name."
        ),
        CORE_SHAPE,
    ),
    "constraint of core's table": Violation(
        ["ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '')"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.users, which"
            " belongs to core, and changed its constraint named."
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
            "operation 1, RunSQL, took ShareRowExclusiveLock on public.audit,"
            " which belongs to core, and changed its foreign keys."
        ),
        CORE_SHAPE,
    ),
    "dropped table of core": Violation(
        ["DROP TABLE audit"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.audit, which"
            " belongs to core, and no foreign key explains it."
        ),
        CORE_SHAPE,
    ),
    "dropped foreign key of core": Violation(
        ["ALTER TABLE audit DROP CONSTRAINT audit_actor_fkey"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.audit, which"
            " belongs to core, and no foreign key explains it."
        ),
        CORE_SHAPE,
    ),
    "lock on core's table": Violation(
        ["LOCK TABLE users IN ACCESS EXCLUSIVE MODE"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.users, which"
            " belongs to core, and no foreign key explains it."
        ),
        CORE_SHAPE,
    ),
    "rows of core": Violation(
        ["INSERT INTO users (id, name) VALUES (gen_random_uuid(), 'x')"],
        ("operation 1, RunSQL, took RowExclusiveLock on public.users, which belongs to core."),
        CORE_ROWS,
    ),
    "rows of core in Python": Violation(
        [in_python("UPDATE users SET name = 'x'")],
        ("operation 1, RunPython, took RowExclusiveLock on public.users, which belongs to core."),
        CORE_ROWS,
    ),
    "rows of core through the model": Violation(
        [with_models(lambda apps: apps.get_model("core", "Centre").objects.create(code="B"))],
        ("operation 1, RunPython, took RowExclusiveLock on public.centres, which belongs to core."),
        CORE_ROWS,
    ),
    "deleted rows of core": Violation(
        ["DELETE FROM centres"],
        ("operation 1, RunSQL, took RowExclusiveLock on public.centres, which belongs to core."),
        CORE_ROWS,
    ),
    "rows of core by cascade": Violation(
        ["TRUNCATE audit"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.audit, which"
            " belongs to core, and changed the table itself."
        ),
        CORE_SHAPE,
    ),
    "shape of core with writes_core": Violation(
        ["ALTER TABLE users ADD COLUMN stock int"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on public.users, which"
            " belongs to core, and changed its column stock."
        ),
        CORE_SHAPE,
        attributes={"writes_core": True},
    ),
    "another domain with writes_core": Violation(
        ["UPDATE hr.employees SET name = 'x'"],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
        attributes={"writes_core": True},
    ),
    "comment on core's table": Violation(
        ["COMMENT ON TABLE users IS 'x'"],
        (
            "operation 1, RunSQL, took ShareUpdateExclusiveLock on public.users,"
            " which belongs to core."
        ),
        CORE_SHAPE,
    ),
    "grant on core's table": Violation(
        ["GRANT SELECT ON users TO PUBLIC"],
        "operation 1, RunSQL, altered table public.users, which belongs to core.",
        CORE_SHAPE,
    ),
    "core's function replaced": Violation(
        [
            (
                "CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql"
                " IMMUTABLE AS 'SELECT 0'"
            )
        ],
        ("operation 1, RunSQL, altered function public.twice(integer), which belongs to core."),
        CORE_SHAPE,
    ),
    "core's sequence": Violation(
        ["SELECT nextval('public.numbers')"],
        ("operation 1, RunSQL, took RowExclusiveLock on public.numbers, which belongs to core."),
        CORE_ROWS,
    ),
    "nobody's schema": Violation(
        ["CREATE TABLE nobodys.needs (id int)"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on nobodys.needs, which"
            " belongs to no domain."
        ),
        NOBODYS,
    ),
    "event trigger": Violation(
        [
            (
                "CREATE FUNCTION inventory.seen() RETURNS event_trigger LANGUAGE"
                " plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER seen ON ddl_command_end"
                " EXECUTE FUNCTION inventory.seen()"
            )
        ],
        ("operation 1, RunSQL, made or altered event trigger seen, which fires for every domain."),
        "Leave event triggers to the database's administrator.",
    ),
    "second of three operations": Violation(
        ["SELECT 1", in_python("UPDATE hr.employees SET name = name"), "SELECT 2"],
        (
            "operation 2, RunPython, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
    ),
    "database side of SeparateDatabaseAndState": Violation(
        [migrations.SeparateDatabaseAndState([migrations.RunSQL("DELETE FROM hr.employees")])],
        (
            "operation 1, SeparateDatabaseAndState, took RowExclusiveLock on"
            ' hr.employees, which belongs to the domain "hr".'
        ),
        USES,
    ),
    "third party's operation": Violation(
        [Purge()],
        (
            "operation 1, Purge, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
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
            "operation 1, AddField, made default value for inventory.drugs.pay use"
            ' function hr.salary(integer), which belongs to the domain "hr".'
        ),
        USES,
    ),
    "index over another's function": Violation(
        [
            migrations.AddIndex(
                "Lot", models.Index(models.Func("quantity", function="hr.salary"), name="lots_pay")
            )
        ],
        (
            "operation 1, AddIndex, made index inventory.lots_pay use function"
            ' hr.salary(integer), which belongs to the domain "hr".'
        ),
        USES,
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
            "operation 1, AddConstraint, made table constraint lots_pay on"
            " inventory.lots use function hr.salary(integer), which belongs to the"
            ' domain "hr".'
        ),
        USES,
    ),
    "core reads a domain": Violation(
        ["SELECT count(*) FROM inventory.drugs"],
        (
            "operation 1, RunSQL, took AccessShareLock on inventory.drugs, which"
            ' belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core writes a domain's rows in Python": Violation(
        [in_python("UPDATE inventory.drugs SET code = 'x'")],
        (
            "operation 1, RunPython, took RowExclusiveLock on inventory.drugs,"
            ' which belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core alters a domain's table": Violation(
        ["ALTER TABLE inventory.drugs ADD COLUMN note text"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on inventory.drugs,"
            ' which belongs to the domain "inventory", and changed its column note.'
        ),
        CORE_USES,
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
            "operation 1, RunSQL, took ShareRowExclusiveLock on inventory.drugs,"
            ' which belongs to the domain "inventory", and changed its foreign'
            " keys."
        ),
        CORE_USES,
        domain="core",
    ),
    "core's view over a domain": Violation(
        ["CREATE VIEW codes AS SELECT code FROM inventory.drugs"],
        (
            "operation 1, RunSQL, made view public.codes use table column"
            ' inventory.drugs.code, which belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core makes a table in a domain": Violation(
        ["CREATE TABLE hr.centres (id int)"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.centres, which"
            ' belongs to the domain "hr".'
        ),
        CORE_USES,
        domain="core",
    ),
    "core drops a domain's foreign keys": Violation(
        ["DROP TABLE users CASCADE"],
        (
            "operation 1, RunSQL, took AccessExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr", and dropped its constraint'
            " employees_actor_fkey."
        ),
        CORE_USES,
        domain="core",
    ),
    "core's function in a domain": Violation(
        ["CREATE FUNCTION hr.one() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        ('operation 1, RunSQL, made function hr.one(), which belongs to the domain "hr".'),
        CORE_USES,
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
            "operation 1, RunSQL, took ShareRowExclusiveLock on inventory.drugs,"
            ' which belongs to the domain "inventory", and changed its trigger'
            " seen."
        ),
        CORE_USES,
        domain="core",
    ),
    "undo that writes": Violation(
        [migrations.RunSQL("SELECT 1", "UPDATE hr.employees SET name = 'x'")],
        (
            "operation 1, RunSQL, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
        backwards=True,
    ),
    "undo that makes a table in public": Violation(
        [migrations.RunSQL("SELECT 1", "CREATE TABLE public.old (id int)")],
        "operation 1, RunSQL, made public.old, which belongs to core.",
        NOT_IN_PUBLIC,
        backwards=True,
    ),
    "undo in Python": Violation(
        [migrations.RunPython(migrations.RunPython.noop, python("DELETE FROM hr.employees"))],
        (
            "operation 1, RunPython, took RowExclusiveLock on hr.employees, which"
            ' belongs to the domain "hr".'
        ),
        USES,
        backwards=True,
    ),
    "undo of core that reads": Violation(
        [migrations.RunSQL("SELECT 1", "SELECT 1 FROM inventory.drugs")],
        (
            "operation 1, RunSQL, took AccessShareLock on inventory.drugs, which"
            ' belongs to the domain "inventory".'
        ),
        CORE_USES,
        domain="core",
        backwards=True,
    ),
}
