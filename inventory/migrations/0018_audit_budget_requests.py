"""Write the audit trail of budget requests in the database, so that no change is missed."""

from __future__ import annotations

from django.db import migrations

CREATE_FUNCTION = """
CREATE FUNCTION inventory.audit_budget_request()
RETURNS trigger
LANGUAGE plpgsql
AS $body$
BEGIN
    INSERT INTO inventory.budget_request_audits
        (request_id, old_status, new_status, changed_by_id, changed_at)
    VALUES
        (
            NEW.id,
            CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END,
            NEW.status,
            NEW.updated_by_id,
            clock_timestamp()
        );
    RETURN NULL;
END
$body$
"""

CREATE_INSERT_TRIGGER = """
CREATE TRIGGER budget_requests_audit_insert
AFTER INSERT ON inventory.budget_requests
FOR EACH ROW EXECUTE FUNCTION inventory.audit_budget_request()
"""

CREATE_UPDATE_TRIGGER = """
CREATE TRIGGER budget_requests_audit_update
AFTER UPDATE OF status ON inventory.budget_requests
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
EXECUTE FUNCTION inventory.audit_budget_request()
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0017_keep_stock_levels")]

    operations = [
        migrations.RunSQL(
            sql=[CREATE_FUNCTION, CREATE_INSERT_TRIGGER, CREATE_UPDATE_TRIGGER],
            reverse_sql=[
                "DROP TRIGGER budget_requests_audit_update ON inventory.budget_requests",
                "DROP TRIGGER budget_requests_audit_insert ON inventory.budget_requests",
                "DROP FUNCTION inventory.audit_budget_request()",
            ],
        ),
    ]
