from __future__ import annotations

from django.db import migrations

# A CHECK constraint sees only its own row, and this rule needs the employee's row, too.
CREATE_FUNCTION = """
CREATE FUNCTION "hr"."leave_within_employment"() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    employed record;
BEGIN
    SELECT e.hired_on, e.left_on INTO employed
      FROM "hr"."employees" AS e WHERE e.id = NEW.employee_id;
    IF NEW.starts_on < employed.hired_on OR NEW.ends_on > employed.left_on THEN
        RAISE EXCEPTION 'employee % is not employed from % to %',
                        NEW.employee_id, NEW.starts_on, NEW.ends_on
              USING ERRCODE = 'check_violation',
                    SCHEMA = 'hr',
                    TABLE = 'leave_requests',
                    CONSTRAINT = 'leave_requests_within_employment',
                    HINT = 'Leave must lie between the day of hiring and the day of leaving.';
    END IF;
    RETURN NEW;
END
$$
"""

CREATE_TRIGGER = """
CREATE TRIGGER "leave_requests_within_employment"
BEFORE INSERT OR UPDATE OF employee_id, starts_on, ends_on ON "hr"."leave_requests"
FOR EACH ROW EXECUTE FUNCTION "hr"."leave_within_employment"()
"""


class Migration(migrations.Migration):
    dependencies = [("hr", "0010_current_staff_view")]

    operations = [
        migrations.RunSQL(CREATE_FUNCTION, 'DROP FUNCTION "hr"."leave_within_employment"()'),
        migrations.RunSQL(
            CREATE_TRIGGER,
            'DROP TRIGGER "leave_requests_within_employment" ON "hr"."leave_requests"',
        ),
    ]
