"""`migrate_domain` on a cluster as a domain's own database role, and without transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.sessions.roles import role_name
from tests.citus.test_migrate import CONSTRAINTS, THINGS, on_worker
from tests.support.catalog import execute, history, query
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("replayed")]

Call = Callable[..., Result]

ROWS = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [migrations.RunSQL(
        "UPDATE hr.things SET other_id = 1", "UPDATE hr.things SET other_id = NULL")]
"""
WIDTH = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0002_rows")]
    operations = [
        migrations.AddField("Thing", "width", models.PositiveIntegerField(default=1)),
        migrations.AlterField("Thing", "width", models.TextField(default="a")),
    ]
"""
STEPS = {"0001_things": THINGS, "0002_rows": ROWS, "0003_width": WIDTH}


@pytest.fixture
def role(distributed_hr: TemporaryMigrations) -> Iterator[str]:
    """hr's role, which owns its schema and may log in to the nodes."""
    name = role_name(connections["default"], get_domain("hr"))
    execute(f'CREATE ROLE "{name}" LOGIN')
    execute(f'GRANT "{name}" TO CURRENT_USER')
    execute(f'ALTER SCHEMA hr OWNER TO "{name}"')
    execute(f'GRANT USAGE ON SCHEMA public TO "{name}"')
    execute(f'GRANT REFERENCES, SELECT ON ALL TABLES IN SCHEMA public TO "{name}"')
    yield name
    execute("DROP SCHEMA hr CASCADE")
    execute(f'DROP OWNED BY "{name}"')
    execute(f'DROP ROLE "{name}"')


@pytest.mark.parametrize("option", ["--dry-run", "--rehearse"])
def test_trials_as_the_role_of_the_domain(
    option: str, distributed_hr: TemporaryMigrations, role: str, call: Call
) -> None:
    with distributed_hr.release({"0001_things": THINGS}):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
    before = query(CONSTRAINTS)
    with distributed_hr.release(STEPS):
        result = call("migrate_domain", "hr", option)
        assert result.exit_status == 0, result.stderr
        assert query(CONSTRAINTS) == before
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
    owners = query(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
        " WHERE relnamespace = 'hr'::regnamespace AND relname = 'things'"
    )
    assert owners == [(role,)]
    assert query("SELECT DISTINCT other_id, width FROM hr.things") == [(1, "1")]


def test_migration_without_a_transaction(
    distributed_hr: TemporaryMigrations, citus_cluster: CitusServers, call: Call
) -> None:
    plain = """
from django.contrib.postgres.operations import AddIndexConcurrently
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("hr", "0002_rows")]
    operations = [
        migrations.AddField("Thing", "width", models.PositiveIntegerField(default=1)),
        AddIndexConcurrently("Thing", models.Index(fields=["width"], name="things_width")),
        migrations.RunSQL("UPDATE hr.things SET width = 2", ""),
        migrations.RunSQL(
            '''CREATE FUNCTION hr.widen() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.width := NEW.width + 1; RETURN NEW; END $$''', "DROP FUNCTION hr.widen()"),
        migrations.RunSQL(
            "CREATE TRIGGER widen BEFORE INSERT ON hr.things FOR EACH ROW"
            " EXECUTE FUNCTION hr.widen()", "DROP TRIGGER widen ON hr.things"),
    ]
"""
    steps = {**STEPS, "0003_width": plain}
    with distributed_hr.release(steps):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
        assert ("things_width_check",) in [row[1:2] for row in query(CONSTRAINTS)]
        indexes = on_worker(
            citus_cluster,
            "SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text"
            " ~ '^hr.things_width_[0-9]+$'",
        )
        assert indexes == [(True,)]
        execute("INSERT INTO hr.things (width) VALUES (5)")
        assert query("SELECT width FROM hr.things ORDER BY id DESC LIMIT 1") == [(6,)]
        result = call("migrate_domain", "hr", "0002", "--noinput")
        assert result.exit_status == 0, result.stderr
    assert history("hr.django_migrations_hr")[-1] == ("hr", "0002_rows")
    (kept,) = query("SHOW citus.enable_unsafe_triggers")
    assert kept == ("off",)
