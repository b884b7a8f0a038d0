from __future__ import annotations

from django.db import migrations

CREATE_VIEW = """
CREATE VIEW "hr"."current_staff" AS
SELECT e.id AS employee_id,
       e.employee_number,
       e.first_name_th,
       e.last_name_th,
       e.cost_centre_id,
       a.id AS assignment_id,
       p.code AS position_code,
       p.title_th AS position_title_th,
       p.title_en AS position_title_en,
       a.starts_on
  FROM "hr"."employees" AS e
  LEFT JOIN "hr"."assignments" AS a
         ON a.employee_id = e.id
        AND a.starts_on <= CURRENT_DATE
        AND (a.ends_on IS NULL OR a.ends_on >= CURRENT_DATE)
  LEFT JOIN "hr"."positions" AS p ON p.id = a.position_id
 WHERE e.left_on IS NULL OR e.left_on >= CURRENT_DATE
"""

DROP_VIEW = 'DROP VIEW "hr"."current_staff"'


class Migration(migrations.Migration):
    dependencies = [("hr", "0009_no_overlaps")]

    operations = [migrations.RunSQL(CREATE_VIEW, DROP_VIEW)]
