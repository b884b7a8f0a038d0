from __future__ import annotations

from django.db import migrations

CREATE_VIEW = """
CREATE VIEW "finance"."trial_balance" AS
SELECT a.id AS account_id,
       a.code,
       a.name_en,
       a.name_th,
       a.kind,
       coalesce(sum(l.debit), 0) AS debit,
       coalesce(sum(l.credit), 0) AS credit,
       coalesce(sum(l.debit - l.credit), 0) AS balance
  FROM "finance"."accounts" AS a
  LEFT JOIN "finance"."journal_lines" AS l ON l.account_id = a.id
 GROUP BY a.id, a.code, a.name_en, a.name_th, a.kind
"""


class Migration(migrations.Migration):
    dependencies = [("finance", "0009_journals_balance")]

    operations = [migrations.RunSQL(CREATE_VIEW, 'DROP VIEW "finance"."trial_balance"')]
