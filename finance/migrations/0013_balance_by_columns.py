"""Tell the rows of journals and of their lines apart by their columns.

With Citus, TG_TABLE_NAME is the name of a shard, such as "journals_102066".
"""

from __future__ import annotations

from django.db import migrations

BEFORE = """
CREATE OR REPLACE FUNCTION "finance"."journal_must_balance"() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    checked bigint;
    touched bigint[];
    totals record;
BEGIN
    IF TG_TABLE_NAME = 'journals' THEN
        touched := ARRAY[NEW.id];
    ELSIF TG_OP = 'INSERT' THEN
        touched := ARRAY[NEW.journal_id];
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY[OLD.journal_id];
    ELSE
        touched := ARRAY[OLD.journal_id, NEW.journal_id];
    END IF;
    FOREACH checked IN ARRAY touched LOOP
        IF EXISTS (SELECT 1 FROM "finance"."journals" AS j WHERE j.id = checked) THEN
            SELECT count(*) AS lines,
                   coalesce(sum(l.debit), 0) AS debit,
                   coalesce(sum(l.credit), 0) AS credit
              INTO totals
              FROM "finance"."journal_lines" AS l WHERE l.journal_id = checked;
            IF totals.lines < 2 OR totals.debit <> totals.credit THEN
                RAISE EXCEPTION 'journal % does not balance: % lines, debit %, credit %',
                                checked, totals.lines, totals.debit, totals.credit
                      USING ERRCODE = 'check_violation',
                            SCHEMA = 'finance',
                            TABLE = 'journals',
                            CONSTRAINT = 'journals_balance',
                            HINT = 'Write at least two lines whose debits equal their credits.';
            END IF;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$
"""

# The trigger of journals fires on INSERT only; a line has both keys.
AFTER = """
CREATE OR REPLACE FUNCTION "finance"."journal_must_balance"() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    checked bigint;
    touched bigint[];
    written jsonb;
    totals record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        touched := touched || OLD.journal_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        written := to_jsonb(NEW);
        touched := touched || coalesce(written ->> 'journal_id', written ->> 'id')::bigint;
    END IF;
    FOREACH checked IN ARRAY touched LOOP
        IF EXISTS (SELECT 1 FROM "finance"."journals" AS j WHERE j.id = checked) THEN
            SELECT count(*) AS lines,
                   coalesce(sum(l.debit), 0) AS debit,
                   coalesce(sum(l.credit), 0) AS credit
              INTO totals
              FROM "finance"."journal_lines" AS l WHERE l.journal_id = checked;
            IF totals.lines < 2 OR totals.debit <> totals.credit THEN
                RAISE EXCEPTION 'journal % does not balance: % lines, debit %, credit %',
                                checked, totals.lines, totals.debit, totals.credit
                      USING ERRCODE = 'check_violation',
                            SCHEMA = 'finance',
                            TABLE = 'journals',
                            CONSTRAINT = 'journals_balance',
                            HINT = 'Write at least two lines whose debits equal their credits.';
            END IF;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$
"""


class Migration(migrations.Migration):
    stage = "before"
    dependencies = [("finance", "0012_alter_verbose_names")]

    operations = [migrations.RunSQL(AFTER, BEFORE)]
