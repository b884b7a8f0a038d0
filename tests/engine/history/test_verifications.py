"""Verifications recorded in the journals, which no run depends on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections

from domain_migrations.api.verify.verify import KINDS, verify_domains
from domain_migrations.domains import get_domain
from domain_migrations.engine.history.journal_queries import read_entries
from domain_migrations.engine.history.verifications import last_verification
from tests.support.catalog import execute, histories, query, schemas, snapshot
from tests.support.commands import Result

Call = Callable[..., Result]
JOURNAL = "finance.django_migrations_finance_journal"


def last(domain: str = "finance") -> Any:
    return last_verification(connections["default"], get_domain(domain))


def rows() -> int:
    ((count,),) = query(f"SELECT count(*) FROM {JOURNAL}")
    return int(count)


def test_findings_are_recorded_for_each_domain(migrated_database: str, call: Call) -> None:
    assert last() is None
    assert verify_domains(["finance"]).findings == ()
    assert last() is None
    assert call("verify_domain").exit_status == 0
    kept = last()
    assert (kept.domain, kept.kinds, kept.count, kept.findings) == ("finance", KINDS, 0, ())
    assert kept.database_user == query("SELECT current_user")[0][0]
    assert kept.seconds > 0
    assert {last(name).count for name in ("core", "inventory", "hr")} == {0}
    execute("ALTER TABLE finance.invoices ADD COLUMN odd int")
    execute("CREATE TABLE public.invoices (odd int)")
    before = snapshot(), histories()
    result = call("verify_domain", "finance", "--only", "drift,checksum")
    assert result.exit_status == 1
    (finding,) = last().findings
    assert (finding.kind, finding.object) == ("drift", "finance.invoices.odd")
    assert f"{finding.id} {finding.message}\n     {finding.hint}\n" == result.stdout
    assert (last().kinds, last().count) == (("drift", "checksum"), 1)
    assert last("hr").count == 0
    assert (snapshot(), histories()) == before
    assert query(
        f"SELECT status, batch, app, name, error FROM {JOURNAL} ORDER BY id DESC LIMIT 1"
    ) == [("failed", 0, "", "", "1 found.")]


def test_recorded_verifications_do_not_affect_runs(migrated_database: str, call: Call) -> None:
    assert call("migrate_domain", "finance", "0010").exit_status == 0
    assert call("migrate_domain", "finance").exit_status == 0
    entries = read_entries(connections["default"], get_domain("finance"))
    execute("ALTER TABLE finance.invoices ADD COLUMN odd int")
    assert call("verify_domain", "finance").exit_status == 1
    execute("ALTER TABLE finance.invoices DROP COLUMN odd")
    assert read_entries(connections["default"], get_domain("finance")) == entries
    count = rows()
    # The fast path is still taken, nothing counts as interrupted, and the batch is the last.
    assert "nothing to do" in call("migrate_domain", "finance").stdout
    assert rows() == count
    resumed = call("repair_domain", "finance", "--resume", "--noinput")
    assert 'No migration of the domain "finance" was interrupted.' in resumed.stderr
    assert call("migrate_domain", "finance", "--rollback").exit_status == 0
    assert ("finance", "0011_invoice_purchase_order") not in histories()["finance"]
    assert ("finance", "0010_trial_balance_view") in histories()["finance"]


def test_nothing_is_created_for_it(scratch_database: str, call: Call) -> None:
    assert call("verify_domain").exit_status == 0
    assert schemas() == ["public"]
    assert last() is None


def test_read_only_connection_and_missing_privilege_are_tolerated(
    migrated_database: str, call: Call
) -> None:
    count = rows()
    execute("SET default_transaction_read_only = on")
    quiet = call("verify_domain", "finance")
    verbose = call("verify_domain", "finance", verbosity=2)
    execute("SET default_transaction_read_only = off")
    assert (quiet.stdout, quiet.stderr, quiet.exit_status) == ("Nothing found.\n", "", 0)
    note = 'The findings in the domain "finance" were not recorded: '
    assert f"{note}the connection is read-only.\n" in verbose.stdout
    role = f"reader_{migrated_database}"
    execute(f"CREATE ROLE {role}")
    try:
        names = "public, inventory, hr, finance"
        execute(f"GRANT USAGE ON SCHEMA {names} TO {role}")
        execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {names} TO {role}")
        execute(f"SET ROLE {role}")
        verbose = call("verify_domain", "finance", "--only", "history", verbosity=2)
        execute("RESET ROLE")
        assert f'{note}the role "{role}" may not insert into {JOURNAL}.\n' in verbose.stdout
        assert verbose.exit_status == 0
    finally:
        execute("RESET ROLE")
        execute(f"DROP OWNED BY {role}")
        execute(f"DROP ROLE {role}")
    assert rows() == count
