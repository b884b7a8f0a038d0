"""Let the movements keep the stock levels, whoever writes them."""

from __future__ import annotations

from django.db import migrations

# An upsert alone would reject every issue: PostgreSQL checks quantity >= 0 on the row proposed
# for insertion before it looks for a conflict.
CREATE_MOVE_STOCK = """
CREATE FUNCTION inventory.move_stock(at_location bigint, of_lot bigint, change bigint)
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

CREATE_KEEP_STOCK_LEVELS = """
CREATE FUNCTION inventory.keep_stock_levels()
RETURNS trigger
LANGUAGE plpgsql
AS $body$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM inventory.move_stock(OLD.location_id, OLD.lot_id, -OLD.quantity);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM inventory.move_stock(NEW.location_id, NEW.lot_id, NEW.quantity);
    END IF;
    RETURN NULL;
END
$body$
"""

CREATE_TRIGGER = """
CREATE TRIGGER stock_transactions_keep_levels
AFTER INSERT OR DELETE OR UPDATE OF location_id, lot_id, quantity
ON inventory.stock_transactions
FOR EACH ROW EXECUTE FUNCTION inventory.keep_stock_levels()
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0016_stock_on_hand")]

    operations = [
        migrations.RunSQL(
            sql=[CREATE_MOVE_STOCK],
            reverse_sql=["DROP FUNCTION inventory.move_stock(bigint, bigint, bigint)"],
        ),
        migrations.RunSQL(
            sql=[CREATE_KEEP_STOCK_LEVELS, CREATE_TRIGGER],
            reverse_sql=[
                "DROP TRIGGER stock_transactions_keep_levels ON inventory.stock_transactions",
                "DROP FUNCTION inventory.keep_stock_levels()",
            ],
        ),
    ]
