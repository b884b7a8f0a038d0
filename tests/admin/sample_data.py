"""Sample data for the admin pages: a migration in each state, and staff users."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission

from tests.support.business import make_user
from tests.support.catalog import execute, query
from tests.support.commands import call

JOURNAL = "hr.django_migrations_hr_journal"
RUN = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
FAILED = "relation <script>alert(1)</script> & more"


def names(domain: str) -> list[str]:
    """Return the domain's applied migrations, oldest first."""
    rows = query(f"SELECT name FROM {domain}.django_migrations_{domain} ORDER BY id")
    return [name for (name,) in rows]


def make_sample_data() -> None:
    """Give hr an edited, an unknown and a failed migration, and finance a faked one."""
    first, *_, previous, pending, _ = names("hr")
    finance = names("finance")
    assert call("migrate_domain", "finance", finance[-2], verbosity=0).exit_status == 0
    assert call("migrate_domain", "finance", fake=True, verbosity=0).exit_status == 0
    assert call("migrate_domain", "hr", previous, verbosity=0).exit_status == 0
    execute(f"UPDATE {JOURNAL} SET checksum = '1:0' WHERE name = %s", first)
    execute(
        "INSERT INTO hr.django_migrations_hr (app, name, applied) VALUES ('hr', '0099_gone', now())"
    )
    for direction, name, status, seconds in (
        ("run", "", "running", 0),
        ("forwards", pending, "failed", 1.25),
        ("run", "", "failed", 1.5),
    ):
        execute(
            f"INSERT INTO {JOURNAL} (run, batch, app, name, direction, status, started, seconds,"
            " checksum, os_user, host, project_version, engine_version, django_version,"
            " footprint, details, error, sqlstate)"
            " VALUES (%s, 9, %s, %s, %s, %s, now(), %s, '',"
            " 'somsri', 'ward7', '', '', '', '{}', '{}', %s, '')",
            *(RUN, "hr" if name else "", name, direction, status, seconds),
            FAILED if status == "failed" else "",
        )


def member(*domains: str, **fields: Any) -> Any:
    """Return a staff user who may view these domains only."""
    user = make_user(is_staff=True, **fields)
    codes = [f"view_domain_{name}" for name in domains]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user
