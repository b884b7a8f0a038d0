"""Migrations of the lab that break the boundary: the guard refuses them on a cluster too."""

from __future__ import annotations

from tests.citus.kinds import Kind


def sql(title: str, *statements: str) -> Kind:
    return Kind("Violations", title, f"Sql({list(statements)!r}, '')")


def python(title: str, body: str) -> Kind:
    code = (
        "def forwards(apps, editor):\n    cursor = editor.connection.cursor()\n"
        f"    cursor.execute({body!r})\n"
    )
    return Kind(
        "Violations", title, "migrations.RunPython(forwards, migrations.RunPython.noop)", code=code
    )


VIOLATIONS = [
    sql("foreign key to another domain",
        "ALTER TABLE lab.things ADD CONSTRAINT k FOREIGN KEY (size) REFERENCES stock.items"
        " NOT VALID"),
    sql("table of another domain", "CREATE TABLE stock.more (id int)"),
    sql("column of another domain's table", "ALTER TABLE stock.items ADD COLUMN m int"),
    sql("another domain's table dropped", "DROP TABLE stock.items"),
    sql("another domain's table renamed", "ALTER TABLE stock.items RENAME TO more"),
    sql("index on another domain's table", "CREATE INDEX more ON stock.items (n)"),
    sql("rows inserted in another domain", "INSERT INTO stock.items (id, n) VALUES (9, 9)"),
    sql("rows updated in another domain", "UPDATE stock.items SET n = 9"),
    sql("rows deleted in another domain", "DELETE FROM stock.items"),
    sql("another domain's table truncated", "TRUNCATE stock.items"),
    sql("another domain's table locked", "LOCK TABLE stock.items"),
    sql("rows copied from another domain",
        "INSERT INTO lab.wards (name) SELECT 'x' FROM stock.items"),
    sql("view over another domain", "CREATE VIEW lab.v AS SELECT * FROM stock.items"),
    sql("materialized view over another domain",
        "CREATE MATERIALIZED VIEW lab.v AS SELECT * FROM stock.items"),
    sql("default from another domain's sequence",
        "ALTER TABLE lab.things ALTER COLUMN size SET DEFAULT nextval('stock.numbers')"),
    sql("column of another domain's type", "ALTER TABLE lab.things ADD COLUMN m stock.mood"),
    sql("trigger with another domain's function",
        "CREATE TRIGGER t BEFORE INSERT ON lab.things FOR EACH ROW EXECUTE FUNCTION stock.touch()"),
    sql("trigger on another domain's table",
        "CREATE FUNCTION lab.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        "CREATE TRIGGER t BEFORE INSERT ON stock.items FOR EACH ROW EXECUTE FUNCTION lab.f()"),
    sql("comment on another domain's table", "COMMENT ON TABLE stock.items IS 'x'"),
    sql("policy that reads another domain",
        "CREATE POLICY p ON lab.things USING (EXISTS (SELECT FROM stock.items))"),
    sql("table in public", "CREATE TABLE public.more (id int)"),
    sql("column of core's table", "ALTER TABLE public.people ADD COLUMN n int"),
    sql("core's rows", "UPDATE public.people SET name = 'x'"),
    sql("another domain's schema dropped", "DROP SCHEMA stock CASCADE"),
    python("rows of another domain read by Python", "SELECT * FROM stock.items"),
    python("rows of another domain changed by Python", "UPDATE stock.items SET n = 7"),
    python("SQL composed by the server",
           "DO $$ BEGIN EXECUTE 'UPDATE sto' || 'ck.items SET n = 8'; END $$"),
]  # fmt: skip
