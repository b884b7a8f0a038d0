"""Take the time of a stock level from the proposed row.

Citus refuses functions that are not immutable, such as `now()`, in DO UPDATE.
"""

from __future__ import annotations

from django.db import migrations

BEFORE = """
CREATE OR REPLACE FUNCTION inventory.move_stock(at_location bigint, of_lot bigint, change bigint)
RETURNS void
LANGUAGE plpgsql
AS $body$
BEGIN
    UPDATE inventory.stock_levels
    SET quantity = quantity + change, updated_at = now()
    WHERE location_id = at_location AND lot_id = of_lot;
    IF NOT FOUND THEN
        INSERT INTO inventory.stock_levels AS level (location_id, lot_id, quantity, updated_at)
        VALUES (at_location, of_lot, change, now())
        ON CONFLICT (location_id, lot_id)
        DO UPDATE SET quantity = level.quantity + excluded.quantity, updated_at = now();
    END IF;
END
$body$
"""

AFTER = """
CREATE OR REPLACE FUNCTION inventory.move_stock(at_location bigint, of_lot bigint, change bigint)
RETURNS void
LANGUAGE plpgsql
AS $body$
BEGIN
    UPDATE inventory.stock_levels
    SET quantity = quantity + change, updated_at = now()
    WHERE location_id = at_location AND lot_id = of_lot;
    IF NOT FOUND THEN
        INSERT INTO inventory.stock_levels AS level (location_id, lot_id, quantity, updated_at)
        VALUES (at_location, of_lot, change, now())
        ON CONFLICT (location_id, lot_id)
        DO UPDATE SET
            quantity = level.quantity + excluded.quantity, updated_at = excluded.updated_at;
    END IF;
END
$body$
"""


class Migration(migrations.Migration):
    stage = "before"
    dependencies = [("inventory", "0019_invoice_reference")]

    operations = [migrations.RunSQL(sql=[AFTER], reverse_sql=[BEFORE])]
