from __future__ import annotations

from django.db import migrations

# Deferred to the end of the transaction: a journal and its lines are several statements.
CREATE_FUNCTION = """
CREATE FUNCTION "finance"."journal_must_balance"() RETURNS trigger
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

CREATE_JOURNALS_TRIGGER = """
CREATE CONSTRAINT TRIGGER "journals_balance"
AFTER INSERT ON "finance"."journals"
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION "finance"."journal_must_balance"()
"""

CREATE_LINES_TRIGGER = """
CREATE CONSTRAINT TRIGGER "journal_lines_balance"
AFTER INSERT OR UPDATE OR DELETE ON "finance"."journal_lines"
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION "finance"."journal_must_balance"()
"""


class Migration(migrations.Migration):
    dependencies = [("finance", "0008_validate_line_sides")]

    operations = [
        migrations.RunSQL(CREATE_FUNCTION, 'DROP FUNCTION "finance"."journal_must_balance"()'),
        migrations.RunSQL(
            CREATE_JOURNALS_TRIGGER, 'DROP TRIGGER "journals_balance" ON "finance"."journals"'
        ),
        migrations.RunSQL(
            CREATE_LINES_TRIGGER,
            'DROP TRIGGER "journal_lines_balance" ON "finance"."journal_lines"',
        ),
    ]
