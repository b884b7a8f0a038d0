"""`migrate_domain` on a cluster whose nodes refuse, block or do not answer."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from core.models import User
from tests.citus.test_migrate import CONSTRAINTS, THINGS, on_worker
from tests.support.catalog import execute, history, query
from tests.support.cluster import CitusServers, NodeServer
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("replayed")]

Call = Callable[..., Result]

WIDTH = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [migrations.AddField("Thing", "width", models.IntegerField(null=True))]
"""
STEPS = {"0001_things": THINGS, "0002_width": WIDTH}


def node_of_hr(cluster: CitusServers) -> NodeServer:
    ((port,),) = query(
        "SELECT DISTINCT nodeport FROM citus_shards WHERE table_name::text LIKE 'hr.%'"
    )
    return next(one for one in cluster.workers if one.address[1] == port)


class Watched(StringIO):
    """An output that does something once a text is written to it."""

    def __init__(self, text: str, then: Callable[[], object]) -> None:
        super().__init__()
        self.text, self.then = text, then

    def write(self, written: str) -> int:
        if self.text in written:
            self.then()
        return super().write(written)


def test_lock_on_a_node_is_waited_for_no_longer_than_said__and_who_holds_it_is_named(
    distributed_hr: TemporaryMigrations, citus_cluster: CitusServers, call: Call
) -> None:
    with distributed_hr.release({"0001_things": THINGS}):
        assert call("migrate_domain", "hr").exit_status == 0
    ((shard,),) = on_worker(
        citus_cluster,
        "SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^things_[0-9]+$'"
        " AND relkind = 'r'",
    )
    name = str(connections["default"].settings_dict["NAME"])
    with (
        distributed_hr.release(STEPS),
        node_of_hr(citus_cluster).connect(name, application_name="holder") as holder,
    ):
        holder.execute("SET citus.enable_manual_changes_to_shards = on")
        holder.execute(f"BEGIN; LOCK TABLE {shard} IN ACCESS SHARE MODE")
        output = Watched("lock timeout, blocked by pid", lambda: holder.execute("COMMIT"))
        call_command("migrate_domain", "hr", lock_timeout=2, stdout=output)
    assert "hr.0002_width was rolled back: lock timeout, blocked by pid" in output.getvalue()
    assert 'application "holder"' in output.getvalue()
    assert history("hr.django_migrations_hr")[-1] == ("hr", "0002_width")


def test_key_of_core_that_a_node_refuses_is_told_as_what_it_is(
    distributed_hr: TemporaryMigrations, citus_cluster: CitusServers, call: Call
) -> None:
    """Core's rows are on the coordinator, too, but the rows that refer to them are not."""
    keys = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE hr.things ADD user_id uuid CONSTRAINT things_user REFERENCES public.users"
            " DEFERRABLE INITIALLY DEFERRED", "ALTER TABLE hr.things DROP user_id"),
    ]
"""
    gone = """
class Migration(migrations.Migration):
    writes_core = True
    dependencies = [("hr", "0002_keys")]
    operations = [migrations.RunSQL("DELETE FROM public.users", "")]
"""
    with distributed_hr.release({"0001_things": THINGS, "0002_keys": keys}):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
    user = User.objects.create(username="first")
    execute("UPDATE hr.things SET user_id = %s", user.pk)
    with distributed_hr.release({"0001_things": THINGS, "0002_keys": keys, "0003_gone": gone}):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 1
    assert (
        'failed at the deferred constraints: update or delete on table "users" violates foreign'
        ' key constraint "things_user" on table "things". It was rolled back.' in result.stderr
    )
    assert query("SELECT count(*) FROM public.users") == [(1,)]


def test_node_that_is_down_is_named__and_the_run_may_be_repeated(
    distributed_hr: TemporaryMigrations, citus_cluster: CitusServers, call: Call, settings: Any
) -> None:
    if not citus_cluster.is_ours:
        pytest.skip("Only a node that was started for the tests may be stopped: set CITUS_PG_BIN.")
    with distributed_hr.release({"0001_things": THINGS}):
        assert call("migrate_domain", "hr").exit_status == 0
    before = query(CONSTRAINTS)
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "RETRIES": 1}
    at_home = node_of_hr(citus_cluster)
    other = next(node for node in citus_cluster.workers if node is not at_home)
    for node in (other, at_home):
        assert node.server is not None
        node.server.leave()
        try:
            with distributed_hr.release(STEPS):
                result = call("migrate_domain", "hr")
        finally:
            node.server.ensure_running()
        assert result.exit_status == 75, result.stderr
        assert ":".join(map(str, node.address)) in result.stderr
        # The history of the domain is on its own node: without that, nothing begins.
        said = "cannot reach another server" if node is at_home else "does not answer"
        assert said in result.stderr
    assert query(CONSTRAINTS) == before
    with distributed_hr.release(STEPS):
        assert call("migrate_domain", "hr").exit_status == 0
