"""The guard on whole migrations: the operation that it names, and attributes that allow more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib.contenttypes.management import RenameContentType
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.db.models import F, Func
from django.utils.timezone import now

from domain_migrations.domains import get_domain
from domain_migrations.engine.boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS
from domain_migrations.engine.guard.guard import BoundaryGuard
from domain_migrations.engine.guard.held_locks import MODES
from domain_migrations.engine.guard.violations import CORE_ROWS, CORE_SHAPE, Violation
from domain_migrations.engine.guard.watch import MigrationWatch
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.engine.sessions.advisory_locks import lock_key
from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.allowed_cases import OWNERS, VIOLATIONS
from tests.engine.guard.helpers import (
    guarded,
    lay_out,
    migration_of,
    refusal,
    run_non_atomic,
)
from tests.engine.guard.violation_cases import HR
from tests.support import catalog

REFUSED = "Migration inventory.0002_change is refused: its"


@pytest.fixture(scope="module")
def landscape(module_database: str) -> None:
    lay_out()


@pytest.fixture
def new_landscape(scratch_database: str) -> None:
    lay_out()


def drugs(**fields: models.Field[Any, Any]) -> migrations.CreateModel:
    return migrations.CreateModel(
        "Pill",
        [("id", models.BigAutoField(primary_key=True)), *fields.items()],
        options={"db_table": '"inventory"."pills"'},
    )


class Mood(models.Field):
    def db_type(self, connection: Any) -> str:
        return "hr.mood"


def read_employees(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT name FROM hr.employees")


def test_names_the_operation__sql(landscape: None) -> None:
    assert refusal("SELECT 1", "UPDATE hr.employees SET name = name", "SELECT 2") == (
        f"{REFUSED} operation 2, RunSQL, took RowExclusiveLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_operation__python(landscape: None) -> None:
    assert refusal(drugs(), migrations.RunPython(read_employees)) == (
        f"{REFUSED} operation 2, RunPython, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_operation__inside_another(landscape: None) -> None:
    outer = migrations.SeparateDatabaseAndState(
        [migrations.RunSQL("SELECT 1"), migrations.RunSQL("SELECT * FROM hr.employees")]
    )
    assert refusal(outer, drugs()) == (
        f"{REFUSED} operation 1, SeparateDatabaseAndState, took AccessShareLock on"
        f" hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_operation__djangos_own(landscape: None) -> None:
    mood = migrations.AddField("pill", "mood", Mood(null=True))
    name = migrations.AddField("pill", "name", models.TextField(default=""))
    assert refusal(drugs(), mood, name) == (
        f"{REFUSED} operation 2, AddField, made table column inventory.pills.mood use type"
        f" hr.mood, {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_operation__expression(landscape: None) -> None:
    total = models.IntegerField(db_default=Func(1, function="hr.salary"))
    assert refusal(drugs(), migrations.AddField("pill", "total", total)) == (
        f"{REFUSED} operation 2, AddField, made default value for inventory.pills.total use"
        f" function hr.salary(integer), {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_operation__index(landscape: None) -> None:
    index = models.Index(Func(F("id"), function="hr.salary"), name="pills_salary")
    create = drugs(size=models.IntegerField())
    create.fields[0] = ("id", models.AutoField(primary_key=True))
    assert refusal(create, migrations.AddIndex("pill", index)) == (
        f"{REFUSED} operation 2, AddIndex, made index inventory.pills_salary use function"
        f" hr.salary(integer), {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_operation__cascade(landscape: None) -> None:
    state = ProjectState()
    legacy = migrations.CreateModel(
        "Legacy",
        [("id", models.AutoField(primary_key=True))],
        options={"db_table": '"inventory"."legacy"'},
    )
    legacy.state_forwards("inventory", state)
    assert refusal(drugs(), migrations.DeleteModel("Legacy"), state=state) == (
        f"{REFUSED} operation 2, DeleteModel, took AccessExclusiveLock on hr.legacy, {HR}.",
        DOMAIN_DEPENDS,
    )


def test_names_the_deferred_sql(landscape: None) -> None:
    with transaction.atomic():
        watch = BoundaryGuard(connection, get_domain("inventory")).begin(
            migration_of(domain="inventory")
        )
        catalog.execute("TABLE hr.employees")
        with pytest.raises(BoundaryViolation) as refused:
            watch.check()
    assert refused.value.message == (
        f"{REFUSED} deferred SQL took AccessShareLock on hr.employees, {HR}."
    )


def test_names_the_operation__in_any_wording(
    landscape: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation is found by the objects of a violation, not by the words of its message."""
    to_error = MigrationWatch.to_error

    def reworded(watch: MigrationWatch, violation: Violation) -> BoundaryViolation:
        return to_error(watch, violation._replace(action="did pill, drugs and total wrongly"))

    monkeypatch.setattr(MigrationWatch, "to_error", reworded)
    state = ProjectState()
    legacy = migrations.CreateModel(
        "Legacy",
        [("id", models.AutoField(primary_key=True))],
        options={"db_table": '"inventory"."legacy"'},
    )
    legacy.state_forwards("inventory", state)
    total = models.IntegerField(db_default=Func(1, function="hr.salary"))
    salary = models.Index(Func("size", function="hr.salary"), name="pills_salary")
    size = drugs(size=models.IntegerField())
    for number, kind, operations in (
        (2, "AddField", [drugs(), migrations.AddField("pill", "mood", Mood(null=True))]),
        (2, "AddField", [drugs(), migrations.AddField("pill", "total", total)]),
        (2, "AddIndex", [size, migrations.AddIndex("pill", salary)]),
        (2, "DeleteModel", [drugs(), migrations.DeleteModel("Legacy")]),
        (3, "RunSQL", [drugs(), "SELECT 1", "TABLE hr.employees", "SELECT 2"]),
    ):
        refused = refusal(*operations, state=state.clone())
        assert refused is not None
        assert refused[0] == (
            f"{REFUSED} operation {number}, {kind}, did pill, drugs and total wrongly."
        )


def test_allows_operations_of_django(landscape: None) -> None:
    state = ProjectState()
    user = migrations.CreateModel(
        "User", [("id", models.UUIDField(primary_key=True))], options={"db_table": "users"}
    )
    user.state_forwards("core", state)
    key = models.ForeignKey("core.User", models.CASCADE, null=True)
    operations = [
        drugs(creator=key, size=models.IntegerField(db_index=True)),
        migrations.AddConstraint(
            "pill", models.CheckConstraint(condition=models.Q(size__gt=0), name="size_positive")
        ),
        migrations.AddField("pill", "parent", models.ForeignKey("self", models.CASCADE, null=True)),
        migrations.AlterField("pill", "creator", models.UUIDField(null=True)),
        migrations.AlterField("pill", "creator", key),
        migrations.RenameField("pill", "size", "amount"),
        migrations.AlterModelTable("pill", '"inventory"."tablets"'),
        migrations.RemoveField("pill", "creator"),
        migrations.DeleteModel("pill"),
    ]
    assert refusal(*operations, state=state) is None


def test_footprint_is_the_strongest_lock_on_each_relation(landscape: None) -> None:
    footprint = guarded(
        "SELECT * FROM users",
        "SELECT * FROM inventory.lots",
        "UPDATE inventory.lots SET quantity = 1",
        "ALTER TABLE inventory.drugs ADD centre bigint REFERENCES centres",
    )
    assert footprint == {
        "inventory.drugs": "AccessExclusiveLock",
        "inventory.lots": "RowExclusiveLock",
        "public.centres": "ShareRowExclusiveLock",
        "public.users": "AccessShareLock",
    }


ISOLATION_LEVELS = ("read uncommitted", "read committed", "repeatable read", "serializable")


@pytest.fixture(params=ISOLATION_LEVELS)
def isolation(landscape: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """The isolation level of the session's transactions."""
    catalog.execute("SELECT set_config('default_transaction_isolation', %s, false)", request.param)
    yield request.param
    catalog.execute("RESET default_transaction_isolation")


def test_every_lock_mode(isolation: str) -> None:
    for lock in MODES:
        words = " ".join(re.findall("[A-Z][a-z]+", lock.removesuffix("Lock")))
        statement = f"LOCK TABLE {{}} IN {words} MODE; SELECT * FROM {{}}"
        assert guarded(statement.format(*["inventory.drugs"] * 2)) == {"inventory.drugs": lock}
        assert refusal(statement.format(*["hr.employees"] * 2)) == (
            f"{REFUSED} operation 1, RunSQL, took {lock} on hr.employees, {HR}.",
            DOMAIN_DEPENDS,
        )


def test_every_isolation_level__reads(isolation: str) -> None:
    """A serializable transaction remembers relations, pages and rows that it has read."""
    for read in ("", " WHERE id = 1", " WHERE code = 'x'"):
        assert guarded(f"SET LOCAL enable_seqscan = off; SELECT * FROM inventory.drugs{read}") == {
            "inventory.drugs": "AccessShareLock"
        }


def test_every_isolation_level__without_a_transaction(isolation: str) -> None:
    run_non_atomic("SELECT * FROM inventory.drugs WHERE id = 1", "VACUUM inventory.drugs")


def test_writes_core(landscape: None) -> None:
    update = "UPDATE users SET name = 'x'"
    assert refusal(update) == (
        f"{REFUSED} operation 1, RunSQL, took RowExclusiveLock on public.users, which belongs"
        " to core.",
        CORE_ROWS,
    )
    assert refusal(update, writes_core=True) is None
    assert refusal("SELECT nextval('public.numbers')", writes_core=True) is None


def test_writes_core__is_about_rows(landscape: None) -> None:
    assert refusal("TRUNCATE drugs", writes_core=True) == (
        f"{REFUSED} operation 1, RunSQL, took AccessExclusiveLock on public.drugs, which belongs"
        " to core, and changed the table itself.",
        CORE_SHAPE,
    )
    assert refusal("UPDATE hr.employees SET name = 'x'", writes_core=True) is not None


def test_writes_core__operation_injected_by_django(landscape: None) -> None:
    class Renames(migrations.RunSQL):
        """Stands for RenameContentType, which needs Django's tables."""

    Renames.__module__ = RenameContentType.__module__
    rename = "UPDATE django_content_type SET model = 'x'"
    assert refusal(drugs(), Renames(rename)) is None
    assert refusal(drugs(), Renames("UPDATE users SET name = 'x'")) is not None
    assert refusal(drugs(), rename) is not None


def test_savepoint_of_the_migration(landscape: None) -> None:
    def make(apps: Any, schema_editor: Any) -> None:
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute("CREATE FUNCTION hr.q() RETURNS int LANGUAGE sql AS 'SELECT 1'")

    assert refusal(migrations.RunPython(make)) == (
        f"{REFUSED} operation 1, RunPython, made function hr.q(), {HR}.",
        DOMAIN_DEPENDS,
    )


def test_another_session_is_not_blamed(landscape: None) -> None:
    def meanwhile(apps: Any, schema_editor: Any) -> None:
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("CREATE FUNCTION hr.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
                cursor.execute("CREATE TABLE hr.mine (id int)")
                cursor.execute("GRANT SELECT ON hr.employees TO PUBLIC")
                cursor.execute("DROP TABLE hr.mine; DROP FUNCTION hr.mine()")
        finally:
            other.close()

    assert refusal(drugs(), migrations.RunPython(meanwhile), "SELECT 1") is None


def test_several_in_one_transaction(landscape: None) -> None:
    """As in a dry run: the locks of the first migration do not count for the second."""
    guard = BoundaryGuard(connection, get_domain("inventory"))
    key = "CREATE TABLE inventory.a (u uuid REFERENCES users)"
    with transaction.atomic(), connection.cursor() as cursor:
        footprints = []
        for statement in (key, "SELECT * FROM inventory.a", "DROP TABLE inventory.a"):
            with transaction.atomic():
                migration = migration_of(statement, domain="inventory")
                watch = guard.begin(migration)
                cursor.execute(statement)
                watch.after_operation(migration.operations[0])
                footprints.append(watch.check())
        transaction.set_rollback(True)
    assert footprints == [
        {"inventory.a": "AccessExclusiveLock", "public.users": "ShareRowExclusiveLock"},
        {},
        {"public.users": "AccessExclusiveLock"},
    ]


def test_backwards_numbers_are_those_of_the_file(landscape: None) -> None:
    migration = migration_of("SELECT 1", "SELECT 2", "SELECT 3", domain="inventory")
    migration.operations[0].reverse_sql = "SELECT * FROM hr.employees"

    def undo() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            guard = BoundaryGuard(connection, get_domain("inventory"))
            watch = guard.begin(migration)
            for operation in reversed(migration.operations):
                cursor.execute(operation.reverse_sql or operation.sql)
                watch.after_operation(operation)
            watch.check()

    with pytest.raises(BoundaryViolation) as refused:
        undo()
    assert refused.value.message == (
        f"{REFUSED} operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}."
    )


CORE_MAY = (
    "ALTER TABLE users ADD COLUMN x int",
    "ALTER TABLE users ALTER id TYPE uuid",
    "ALTER TABLE users RENAME TO people",
    "DELETE FROM users",
    "UPDATE users SET id = gen_random_uuid()",
    "DROP TABLE audit",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA reports; CREATE TABLE reports.t (id int)",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "GRANT SELECT ON users TO PUBLIC",
    "CREATE TRIGGER x BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
)
CORE_MAY_NOT = (
    ("SELECT * FROM hr.employees", "took AccessShareLock on hr.employees, {}"),
    ("UPDATE hr.employees SET name = 'x'", "took RowExclusiveLock on hr.employees, {}"),
    (
        "DROP TABLE users CASCADE",
        "took AccessExclusiveLock on hr.employees, {}, and dropped its constraint"
        " employees_actor_fkey",
    ),
    ("TRUNCATE users CASCADE", "took AccessExclusiveLock on hr.employees, {}"),
    (
        "ALTER TABLE audit ADD e int REFERENCES hr.employees",
        "took ShareRowExclusiveLock on hr.employees, {}, and changed its foreign keys",
    ),
    (
        "ALTER TABLE hr.employees ADD FOREIGN KEY (actor) REFERENCES users",
        "took ShareRowExclusiveLock on hr.employees, {}, and changed its constraint"
        " employees_actor_fkey1",
    ),
    (
        "CREATE VIEW v AS SELECT hr.salary(1)",
        "made view public.v use function hr.salary(integer), {}",
    ),
    ("DROP FUNCTION hr.salary", "took AccessExclusiveLock on function salary in hr, {}"),
    ("GRANT SELECT ON hr.employees TO PUBLIC", "altered table hr.employees, {}"),
    ("ALTER SCHEMA hr RENAME TO people", "altered schema hr, {}"),
    ("CREATE TYPE hr.t AS ENUM ('a')", "made type hr.t, {}"),
    ("SELECT nextval('hr.numbers')", "took RowExclusiveLock on hr.numbers, {}"),
)


@pytest.mark.parametrize("statement", CORE_MAY)
def test_core_may(landscape: None, statement: str) -> None:
    assert refusal(statement, domain="core") is None


@pytest.mark.parametrize(("statement", "did"), CORE_MAY_NOT)
def test_core_may_not(landscape: None, statement: str, did: str) -> None:
    assert refusal(statement, domain="core") == (
        f"Migration core.0002_change is refused: its operation 1, RunSQL, {did.format(HR)}.",
        CORE_DEPENDS,
    )


def test_without_a_transaction__allows(new_landscape: None) -> None:
    batches = "DO $$ BEGIN UPDATE inventory.lots SET quantity = 2; COMMIT; END $$"
    footprint = run_non_atomic(
        "CREATE INDEX CONCURRENTLY lots_quantity ON inventory.lots (quantity)",
        "ALTER TABLE inventory.lots ADD centre bigint REFERENCES centres",
        "CREATE FUNCTION inventory.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "BEGIN; INSERT INTO inventory.lots (id) VALUES (1); COMMIT;"
        " BEGIN; DELETE FROM inventory.lots; ROLLBACK",
        batches,
        "VACUUM inventory.lots",
    )
    assert footprint == {
        "inventory.lots": "AccessExclusiveLock",
        "public.centres": "ShareRowExclusiveLock",
    }
    assert catalog.query("SELECT id, quantity FROM inventory.lots") == [(1, 2)]


@pytest.mark.parametrize(("statement", "did", "hint"), VIOLATIONS[::3], ids=lambda part: part[:40])
def test_without_a_transaction__refuses(
    landscape: None, statement: str, did: str, hint: str
) -> None:
    before = catalog.snapshot()
    with pytest.raises(BoundaryViolation) as refused:
        run_non_atomic("SELECT 1", statement, "SELECT 2")
    assert refused.value.message == f"{REFUSED} operation 2, RunSQL, {did.format(**OWNERS)}"
    assert refused.value.hint == hint
    assert catalog.snapshot() == before


PAST_A_TRANSACTION = (
    ("CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "made function hr.f(), {}"),
    ("ALTER TABLE hr.employees ADD x int", "altered table hr.employees, {}"),
    ("GRANT SELECT ON hr.employees TO PUBLIC", "altered table hr.employees, {}"),
    ("DROP VIEW hr.names", "dropped or moved hr.names, {}"),
    ("ALTER VIEW hr.names SET SCHEMA inventory", "dropped or moved hr.names, {}"),
    (
        "ALTER TABLE inventory.drugs ADD mood hr.mood",
        "made table column inventory.drugs.mood use type hr.mood, {}",
    ),
    (
        "CREATE VIEW inventory.v AS SELECT hr.salary(1)",
        "made view inventory.v use function hr.salary(integer), {}",
    ),
)


@pytest.mark.parametrize(("statement", "did"), PAST_A_TRANSACTION)
def test_without_a_transaction__refuses_what_it_left(
    new_landscape: None, statement: str, did: str
) -> None:
    """A procedure that commits cannot run in a transaction."""
    catalog.execute(
        "CREATE PROCEDURE inventory.go() LANGUAGE plpgsql AS"
        f" $$ BEGIN COMMIT; EXECUTE $_${statement}$_$; COMMIT; END $$"
    )
    with pytest.raises(BoundaryViolation) as refused:
        run_non_atomic("SELECT 1", "CALL inventory.go()", "SELECT 2")
    assert refused.value.message == f"{REFUSED} operation 2, RunSQL, {did.format(HR)}."
    assert refused.value.hint == DOMAIN_DEPENDS


EVERY_KIND = """
    CREATE TABLE hr.more (id int PRIMARY KEY, actor uuid REFERENCES public.users);
    CREATE INDEX ON hr.employees (upper(name));
    ALTER TABLE hr.employees ADD mood hr.mood DEFAULT 'good', ADD CHECK (hr.salary(id) > 0);
    CREATE VIEW hr.rich AS SELECT hr.salary(id) FROM hr.employees;
    CREATE TRIGGER seen BEFORE UPDATE ON hr.employees FOR EACH ROW EXECUTE FUNCTION hr.touch();
    CREATE POLICY own ON hr.employees USING (hr.salary(1) > 0);
    CREATE STATISTICS hr.both ON id, name FROM hr.employees;
    CREATE FUNCTION hr.made(hr.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TYPE hr.moods AS RANGE (SUBTYPE = hr.age);
    CREATE TEXT SEARCH CONFIGURATION hr.words (COPY = simple);
    CREATE AGGREGATE hr.added (int) (SFUNC = int4pl, STYPE = int);
    GRANT SELECT ON hr.employees TO PUBLIC; COMMENT ON TABLE hr.employees IS 'x';
    DROP VIEW hr.names; DROP SEQUENCE hr.numbers; DROP COLLATION hr.plain;
    ALTER TABLE hr.parts RENAME TO pieces;
"""
QUIET = "CREATE INDEX CONCURRENTLY lots_quantity ON inventory.lots (quantity)"


@pytest.mark.parametrize("state", ["began before", "began meanwhile", "ended"])
@pytest.mark.parametrize("statement", [QUIET, "VACUUM inventory.drugs", "SELECT 1"])
def test_without_a_transaction__another_run(
    new_landscape: None, statement: str, state: str
) -> None:
    """What another domain's run changes meanwhile is its own."""
    hr = get_domain("hr")
    journal = Journal(connection, hr, RunContext())
    journal.open()
    other = connection.copy()

    def run_of_hr(apps: Any, schema_editor: Any) -> None:
        with other.cursor() as cursor:
            cursor.execute(EVERY_KIND)

    def lock(function: str) -> None:
        key = lock_key(connection.settings_dict["NAME"], "hr")
        with other.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [key])

    def begin(*args: Any) -> None:
        lock("pg_advisory_lock")

    def end(*args: Any) -> None:
        if state == "ended":
            Journal(other, hr, RunContext()).write("done", "run", started=now())
            lock("pg_advisory_unlock")

    try:
        if state == "began before":
            begin()
        steps = [begin] if state != "began before" else []
        steps += [run_of_hr, end]
        run_non_atomic(statement, *map(migrations.RunPython, steps), "VACUUM inventory.lots")
    finally:
        other.close()


def test_without_a_transaction__what_another_session_changes(new_landscape: None) -> None:
    """Only statements that cannot run in a transaction leave it open who changed something."""
    other = connection.copy()

    def meanwhile(apps: Any, schema_editor: Any) -> None:
        with other.cursor() as cursor:
            cursor.execute(EVERY_KIND)

    try:
        run_non_atomic(QUIET, migrations.RunPython(meanwhile), "CREATE TABLE inventory.x (id int)")
    finally:
        other.close()


def test_without_a_transaction__maintenance_creates_and_drops_nothing(new_landscape: None) -> None:
    """So what appears or disappears meanwhile is another session's."""
    other = connection.copy()

    def meanwhile(apps: Any, schema_editor: Any) -> None:
        with other.cursor() as cursor:
            cursor.execute("CREATE TABLE nobodys.part (id int); CREATE TABLE hr.part (id int)")
            cursor.execute("DROP VIEW hr.names")

    try:
        run_non_atomic(migrations.RunPython(meanwhile), "VACUUM inventory.drugs")
    finally:
        other.close()
    with pytest.raises(BoundaryViolation, match="which belongs to the domain"):
        run_non_atomic("VACUUM FULL hr.employees")


def test_without_a_transaction__transactions_of_its_own(landscape: None) -> None:
    """Each is checked before its commit, whoever begins it."""

    def batches(begin: str | None) -> migrations.RunPython:
        def run(apps: Any, schema_editor: Any) -> None:
            around = transaction.atomic() if begin is None else nullcontext()
            with around, schema_editor.connection.cursor() as cursor:
                for statement in filter(None, (begin, *statements, begin and "COMMIT")):
                    cursor.execute(statement)

        return migrations.RunPython(run, atomic=False)

    statements = ["UPDATE inventory.drugs SET code = 'x'", "UPDATE hr.employees SET name = 'x'"]
    for begin in (None, "BEGIN", "START TRANSACTION"):
        with pytest.raises(BoundaryViolation) as refused:
            run_non_atomic(batches(begin))
        assert refused.value.message == (
            f"{REFUSED} operation 1, RunPython, took RowExclusiveLock on hr.employees, {HR}."
        )
        assert connection.get_autocommit()
        assert catalog.query("SELECT code FROM inventory.drugs") == [("PARA500",)]


def test_without_a_transaction__operation_with_its_own(new_landscape: None) -> None:
    def write(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("UPDATE hr.employees SET name = 'x'")

    migration = migration_of(
        migrations.RunPython(write, atomic=True), domain="inventory", atomic=False
    )

    def run() -> None:
        guard = BoundaryGuard(connection, get_domain("inventory"))
        watch = guard.begin(migration)
        with transaction.atomic(), connection.schema_editor() as editor:
            operation, state = migration.operations[0], ProjectState()
            with watch.observe(operation):
                operation.database_forwards("inventory", editor, state, state)
            watch.after_operation(operation)

    with pytest.raises(BoundaryViolation) as refused:
        run()
    assert refused.value.message == (
        f"{REFUSED} operation 1, RunPython, took RowExclusiveLock on hr.employees, {HR}."
    )
    assert catalog.query("SELECT name FROM hr.employees") == [("Somchai",)]


@pytest.fixture
def plain_role(new_landscape: None) -> Iterator[str]:
    """A role that owns the domain's schema and may refer to core, and no more."""
    role = f"plain_{connection.settings_dict['NAME']}"
    catalog.execute(f"CREATE ROLE {role}")
    catalog.execute(
        f"ALTER SCHEMA inventory OWNER TO {role}; ALTER TABLE inventory.drugs OWNER TO {role};"
        f"GRANT USAGE ON SCHEMA public, hr TO {role};"
        f"GRANT SELECT, REFERENCES ON users TO {role}; GRANT SELECT ON hr.employees TO {role};"
        f"GRANT CREATE ON SCHEMA hr TO {role}; SET ROLE {role}"
    )
    try:
        yield role
    finally:
        catalog.execute(f"RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_works_without_privileges(plain_role: str) -> None:
    assert refusal("CREATE TABLE inventory.t (u uuid REFERENCES users)") is None
    assert refusal("ALTER TABLE inventory.drugs DROP CONSTRAINT drugs_creator_fkey") is None
    assert refusal("SELECT * FROM hr.employees") == (
        f"{REFUSED} operation 1, RunSQL, took AccessShareLock on hr.employees, {HR}.",
        DOMAIN_DEPENDS,
    )
    assert refusal("CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql AS 'SELECT 1'") == (
        f"{REFUSED} operation 1, RunSQL, made function hr.f(), {HR}.",
        DOMAIN_DEPENDS,
    )


def test_every_isolation_level__table_of_another_session(isolation: str) -> None:
    """A transaction can use a table that is newer than its snapshot."""

    def use(apps: Any, schema_editor: Any) -> None:
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("CREATE TABLE hr.fresh (id int)")
            schema_editor.execute("INSERT INTO hr.fresh VALUES (1)")
        finally:
            other.close()

    try:
        assert refusal("SELECT 1", migrations.RunPython(use)) == (
            f"{REFUSED} operation 2, RunPython, took RowExclusiveLock on hr.fresh, {HR}.",
            DOMAIN_DEPENDS,
        )
    finally:
        catalog.execute("DROP TABLE hr.fresh")
