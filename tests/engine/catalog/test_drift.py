"""Drift between a schema and its models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ProjectState

from domain_migrations.engine.catalog.drift import find_drift
from domain_migrations.engine.catalog.drift_ids import (
    HINT_DECLARED,
    HINT_EXTRA,
    HINT_RECORDED,
    HINT_REPAIR,
    HINT_UNMANAGED,
)
from domain_migrations.engine.catalog.fingerprint import read_objects
from domain_migrations.engine.guard.created_objects import created_in_transaction
from domain_migrations.engine.guard.transaction import TransactionPoint
from domain_migrations.engine.messages import Finding
from tests.engine.catalog import lab_models
from tests.engine.catalog.drift_cases import DRIFTS, DRIFTS_OF_18
from tests.engine.catalog.lab_models import LAB

DECOYS = """
CREATE TABLE public.samples (id bigint PRIMARY KEY, note integer);
CREATE TABLE public.kinds (id text);
CREATE INDEX state_made ON public.samples (note);
CREATE TABLE public.others (id uuid PRIMARY KEY);
"""
BY_SQL = [
    ("U105", "lab.by_price", "The index lab.by_price exists only in the database: INDEX (price)."),
    ("U108", "lab.dear_samples", "The view lab.dear_samples exists only in the database."),
    (
        "U103",
        "lab.samples.count",
        "The column lab.samples.count has a default only in the database: 0.",
    ),
    ("U108", "lab.samples.touch", "The trigger lab.samples.touch exists only in the database."),
    ("U101", "lab.scratch", "The table lab.scratch exists only in the database."),
    ("U108", "lab.ticket", "The sequence lab.ticket exists only in the database."),
    ("U108", "lab.touch()", "The function lab.touch() exists only in the database."),
]
WITHOUT_HISTORY = """
CREATE TABLE lab.handmade (id int);
CREATE INDEX by_hand ON lab.samples (note);
ALTER TABLE lab.samples ADD COLUMN by_hand int DEFAULT 3;
"""


@pytest.fixture(scope="module")
def state(module_database: str) -> ProjectState:
    made = lab_models.apply()
    execute(DECOYS)
    return made


@pytest.fixture
def rolled_back(state: ProjectState) -> Iterator[None]:
    """Roll back everything that the test does to the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def execute(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements, None)


def value(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, None)
        return cursor.fetchone()[0]


def drift(state: ProjectState, *, with_history: bool = True) -> tuple[Finding, ...]:
    history = [lab_models.migration()] if with_history else None
    return find_drift(connection, LAB, state, migrations=history)


def summary(found: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(item.id, item.object, item.message) for item in found]


@pytest.mark.parametrize("with_history", [True, False])
def test_a_clean_database_has_no_drift_and_objects_created_by_sql_are_unmanaged(
    state: ProjectState, with_history: bool
):
    found = drift(state, with_history=with_history)
    assert summary(found) == BY_SQL
    assert all(item.is_unmanaged and item.kind == "drift" for item in found)


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize("statement", DRIFTS)
def test_each_change_by_hand_is_found_and_named(state: ProjectState, statement: str):
    execute(statement)
    found = drift(state)
    assert [item for item in summary(found) if item not in BY_SQL] == DRIFTS[statement]


EXTRA = {
    text: found
    for text, found in DRIFTS.items()
    if any("D1" in item[0] for item in found) and "older RENAME" not in text
}


@pytest.mark.parametrize("statement", EXTRA)
def test_what_a_migration_created_according_to_the_journal_is_unmanaged(
    state: ProjectState, statement: str
):
    own = [value("SELECT 'lab'::regnamespace::oid::bigint")]
    with transaction.atomic():
        before, _ = TransactionPoint.at_start(connection)
        execute(statement)
        now, _ = TransactionPoint.read(connection, own)
        created = created_in_transaction(connection, own, before, now)
        found = find_drift(
            connection, LAB, state, migrations=[lab_models.migration()], created=created
        )
        transaction.set_rollback(True)
    wanted = [(number.replace("D1", "U1"), *rest) for number, *rest in EXTRA[statement]]
    assert [item for item in summary(found) if item not in BY_SQL] == wanted
    assert HINT_RECORDED in {item.hint for item in found}


def test_every_kind_of_object_is_recorded_as_it_is_named(module_database: str):
    """The names of the journal are those of the fingerprint, in any search path."""
    everything = (Path(__file__).with_name("all_objects.sql")).read_text().replace("lab", "labels")
    with transaction.atomic():
        execute("CREATE SCHEMA labels; SET LOCAL search_path = labels, public")
        own = [value("SELECT 'labels'::regnamespace::oid::bigint")]
        before, _ = TransactionPoint.at_start(connection)
        execute(everything.partition(";")[2])
        now, _ = TransactionPoint.read(connection, own)
        created = created_in_transaction(connection, own, before, now)
        path = value("SELECT current_setting('search_path')")
        objects = read_objects(connection, "labels")
        transaction.set_rollback(True)
    with_columns = {item.relation for item in objects if item.kind == "table"}
    kinds = {"table": "101", "column": "102", "constraint": "104", "index": "105"}
    wanted = {
        f"{kinds.get(item.kind, '108')} {item.name}".replace('"', "")
        for item in objects
        if item.kind not in ("schema", "extension")
        and not (item.kind == "column" and item.relation not in with_columns)
    }
    assert wanted - {entry.replace('"', "") for entry in created} == set()
    assert path == "labels, public"


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize("statement", DRIFTS_OF_18)
def test_each_change_that_18_allows_is_found(state: ProjectState, statement: str):
    if value("SELECT current_setting('server_version_num')::int < 180000"):
        pytest.skip("only from 18 on")
    execute(statement)
    found = [item for item in summary(drift(state)) if item not in BY_SQL]
    assert found == DRIFTS_OF_18[statement]


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE lab.samples DISABLE TRIGGER touch", "ALTER TABLE lab.older SET UNLOGGED"],
)
def test_what_a_migration_switches_off_is_no_drift(state: ProjectState, statement: str):
    made = migrations.Migration("0002_more", "lab")
    made.operations = [migrations.RunSQL(statement)]
    execute(made.operations[0].sql)
    found = find_drift(connection, LAB, state, migrations=[lab_models.migration(), made])
    assert summary(found) == BY_SQL


@pytest.mark.usefixtures("rolled_back")
def test_a_constraint_without_a_model_is_found_where_it_is_not_enforced(state: ProjectState):
    execute("ALTER TABLE lab.scratch ADD COLUMN n int CONSTRAINT once UNIQUE DEFERRABLE")
    wanted, new = summary(drift(state)), "ALTER TABLE lab.scratch ADD CHECK (n > 0)"
    if value("SELECT current_setting('server_version_num')::int >= 180000"):
        execute(f"{new} NOT ENFORCED")
        made = migrations.Migration("0002_more", "lab")
        made.operations = [migrations.RunSQL(f"{new} NOT ENFORCED")]
        declared = find_drift(connection, LAB, state, migrations=[lab_models.migration(), made])
        assert summary(declared) == wanted
        message = "The constraint lab.scratch.scratch_n_check is not enforced: it is NOT ENFORCED."
        found = ("D023", "lab.scratch.scratch_n_check", message)
        assert set(summary(drift(state))) == {*wanted, found}
        execute("ALTER TABLE lab.scratch DROP CONSTRAINT scratch_n_check")
    execute("ALTER TABLE lab.scratch DISABLE TRIGGER ALL")
    message = "The constraint lab.scratch.once is not enforced: its triggers are disabled."
    assert set(summary(drift(state))) == {*wanted, ("D023", "lab.scratch.once", message)}


@pytest.mark.usefixtures("rolled_back")
def test_an_operator_class_of_an_extension_has_no_schema_in_a_model(state: ProjectState):
    execute(
        "CREATE OPERATOR CLASS public.note_ops FOR TYPE text USING btree AS OPERATOR 3 =,"
        " FUNCTION 1 bttextcmp; CREATE INDEX likes ON lab.samples (note public.note_ops DESC)"
    )
    state = state.clone()
    index = models.Index(fields=["-note"], name="likes", opclasses=["note_ops"])
    state.add_index("lab", "sample", index)
    assert summary(drift(state)) == BY_SQL


LONG = "lab_samples_price_of_each_of_them_and_then_count_of_all_of_them_idx"


@pytest.mark.usefixtures("rolled_back")
def test_a_name_is_compared_as_postgresql_truncates_it(state: ProjectState):
    state = state.clone()
    state.add_index("lab", "sample", models.Index(fields=["price", "count"], name=LONG[:30]))
    state.models["lab", "sample"].options["indexes"][-1].name = LONG
    state.reload_model("lab", "sample")
    execute(f"CREATE INDEX {LONG} ON lab.samples (price, count)")
    assert summary(drift(state)) == BY_SQL


@pytest.mark.usefixtures("rolled_back")
def test_an_index_that_is_renamed_to_its_own_name_is_expected_once(state: ProjectState):
    """The state has it twice, because RenameIndex adds what index_together had."""
    state = state.clone()
    steps = [
        migrations.AddIndex("Sample", models.Index(fields=["price", "count"], name="twice")),
        migrations.RenameIndex("Sample", new_name="twice", old_fields=("price", "count")),
    ]
    with connection.schema_editor() as editor:
        for step in steps:
            before = state.clone()
            step.state_forwards("lab", state)
            step.database_forwards("lab", editor, before, state)
    assert [item.name for item in state.models["lab", "sample"].options["indexes"]][-2:] == [
        "twice",
        "twice",
    ]
    assert summary(drift(state)) == BY_SQL


@pytest.mark.usefixtures("rolled_back")
def test_without_the_migrations_handmade_objects_are_unmanaged(state: ProjectState):
    execute(WITHOUT_HISTORY)
    found = [item for item in drift(state, with_history=False) if "hand" in item.object]
    assert summary(tuple(found)) == [
        ("U105", "lab.by_hand", "The index lab.by_hand exists only in the database: INDEX (note)."),
        ("U101", "lab.handmade", "The table lab.handmade exists only in the database."),
        (
            "U102",
            "lab.samples.by_hand",
            "The column lab.samples.by_hand exists only in the database.",
        ),
    ]
    assert {item.hint for item in found} == {HINT_UNMANAGED}
    assert {item.id[0] for item in drift(state) if "hand" in item.object} == {"D"}


@pytest.mark.usefixtures("rolled_back")
def test_the_hint_names_the_next_step(state: ProjectState):
    execute("DROP INDEX lab.state_made; CREATE INDEX by_hand ON lab.samples (note)")
    hints = {item.object: item.hint for item in drift(state)}
    assert hints["lab.state_made"] == HINT_REPAIR
    assert hints["lab.by_hand"] == HINT_EXTRA
    assert hints["lab.by_price"] == HINT_DECLARED


@pytest.mark.usefixtures("rolled_back")
@pytest.mark.parametrize("with_history", [True, False])
def test_the_history_of_another_tool_is_named_and_kept(state: ProjectState, with_history: bool):
    execute(
        "CREATE TABLE lab.alembic_version (version_num varchar(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));"
        " CREATE TABLE lab.migrations (id serial PRIMARY KEY, name text)"
    )
    hints = {item.message: item.hint for item in drift(state, with_history=with_history)}
    message = "The table lab.alembic_version is the migration history of Alembic."
    assert hints[message] == (
        "Keep it as long as that tool migrates anything here: without it, the tool runs every"
        " migration again."
    )
    assert [text for text in hints if "alembic" in text] == [message]
    assert "The table lab.migrations exists only in the database." in hints


def test_changes_to_with_columnsof_the_same_name_in_public_are_no_drift(state: ProjectState):
    with transaction.atomic():
        execute("DROP TABLE public.samples; ALTER TABLE public.kinds ADD COLUMN note text")
        assert summary(drift(state)) == BY_SQL
        transaction.set_rollback(True)
    assert value("SELECT to_regclass('public.samples') IS NOT NULL") is True


def test_a_schema_that_is_not_there_lacks_every_table(state: ProjectState):
    with transaction.atomic():
        execute("DROP SCHEMA lab CASCADE")
        found = drift(state)
        transaction.set_rollback(True)
    assert [(item.id, item.object) for item in found] == [
        ("D001", "lab.kinds"),
        ("D001", "lab.older"),
        ("D001", "lab.samples"),
        ("D001", "lab.samples_users"),
    ]


def test_the_engines_own_with_columnsare_no_drift(state: ProjectState):
    with transaction.atomic():
        for table in LAB.engine_tables:
            execute(f"CREATE TABLE {table.db_table} (id serial PRIMARY KEY, app text UNIQUE)")
        assert summary(drift(state)) == BY_SQL
        transaction.set_rollback(True)


def test_a_role_without_privileges_can_check_and_nothing_is_written(state: ProjectState):
    with transaction.atomic():
        execute("CREATE ROLE looker; REVOKE ALL ON DATABASE "
                f'"{connection.settings_dict["NAME"]}" FROM public')  # fmt: skip
        execute("SET LOCAL ROLE looker")
        assert summary(drift(state)) == BY_SQL
        transaction.set_rollback(True)
    with transaction.atomic():
        execute("SET TRANSACTION READ ONLY")
        assert summary(drift(state)) == BY_SQL
        assert value("SELECT pg_current_xact_id_if_assigned()") is None
        assert value(
            "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'lab'::regnamespace"
        ) == 0  # fmt: skip


def test_a_serial_of_an_older_django_is_as_good_as_an_identity(state: ProjectState):
    with transaction.atomic():
        execute(
            "ALTER TABLE lab.samples ALTER COLUMN id DROP IDENTITY;"
            "CREATE SEQUENCE lab.samples_id_seq OWNED BY lab.samples.id;"
            "ALTER TABLE lab.samples ALTER COLUMN id SET DEFAULT nextval('lab.samples_id_seq')"
        )
        assert summary(drift(state)) == BY_SQL
        transaction.set_rollback(True)


def test_a_name_that_django_chose_may_be_another(state: ProjectState):
    """It is the one that a field or table had when the index was made."""
    with transaction.atomic():
        execute("ALTER INDEX lab.samples_kind_id_69d87a21 RENAME TO former_name")
        assert summary(drift(state)) == BY_SQL
        transaction.set_rollback(True)


def test_custom_operations_and_python_mention_the_objects_they_create(state: ProjectState):
    class CreatePublication(migrations.RunSQL):
        pass

    def make_by_python(apps: object, schema_editor: object) -> None:
        """CREATE INDEX by_python ON lab.samples (note)"""

    made = migrations.Migration("0002_more", "lab")
    made.operations = [
        migrations.RunPython(make_by_python),
        migrations.SeparateDatabaseAndState(
            database_operations=[CreatePublication([("CREATE VIEW lab.by_part AS SELECT %s", [1])])]
        ),
    ]
    with transaction.atomic():
        execute(
            "CREATE INDEX by_python ON lab.samples (note); CREATE VIEW lab.by_part AS SELECT 1;"
            "CREATE VIEW lab.by_nobody AS SELECT 1"
        )
        found = find_drift(connection, LAB, state, migrations=[lab_models.migration(), made])
        transaction.set_rollback(True)
    assert [item[:2] for item in summary(found) if item not in BY_SQL] == [
        ("D108", "lab.by_nobody"),
        ("U108", "lab.by_part"),
        ("U105", "lab.by_python"),
    ]
