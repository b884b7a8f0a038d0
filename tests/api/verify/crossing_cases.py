"""One crossing of each kind, and what the catalog tells of it."""

from __future__ import annotations

USES = (
    "A domain may depend only on itself and core. Keep the other's id in a"
    " DomainReference and resolve it in code, or"
    " share the table in core."
)
CORE_USES = (
    "Core may not depend on domains. Move what both need to core, or do it in the domain's"
    " migration."
)

# Statement → (id, domain, object, message, rule, what to do), in the small world of
# landscape.sql.
CROSSINGS: dict[str, list[tuple[str, str, str, str, str, str]]] = {
    (
        "ALTER TABLE inventory.lots ADD CONSTRAINT lots_employee FOREIGN KEY (id)"
        " REFERENCES hr.employees"
    ): [
        (
            "B001",
            "inventory",
            "inventory.lots.lots_employee",
            (
                "The foreign key inventory.lots.lots_employee references the table"
                ' hr.employees, which belongs to the domain "hr".'
            ),
            USES,
            ("Remove it with: ALTER TABLE inventory.lots DROP CONSTRAINT lots_employee;"),
        ),
    ],
    (
        "ALTER TABLE public.audit ADD CONSTRAINT audit_employee FOREIGN KEY (id)"
        " REFERENCES hr.employees"
    ): [
        (
            "B001",
            "core",
            "public.audit.audit_employee",
            (
                "The foreign key public.audit.audit_employee references the table"
                ' hr.employees, which belongs to the domain "hr".'
            ),
            CORE_USES,
            ("Remove it with: ALTER TABLE public.audit DROP CONSTRAINT audit_employee;"),
        ),
    ],
    (
        "ALTER TABLE nobodys.imports ADD CONSTRAINT imports_drug FOREIGN KEY (id)"
        " REFERENCES inventory.drugs"
    ): [
        (
            "B001",
            "core",
            "nobodys.imports.imports_drug",
            (
                "The foreign key nobodys.imports.imports_drug references the table"
                ' inventory.drugs, which belongs to the domain "inventory".'
            ),
            CORE_USES,
            ("Remove it with: ALTER TABLE nobodys.imports DROP CONSTRAINT imports_drug;"),
        ),
    ],
    ("CREATE VIEW inventory.staff AS SELECT e.name FROM hr.employees e, inventory.drugs"): [
        (
            "B002",
            "inventory",
            "inventory.staff",
            (
                "The view inventory.staff uses the table hr.employees, which belongs"
                ' to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP VIEW inventory.staff;",
        ),
    ],
    "CREATE VIEW public.staff AS SELECT name FROM hr.employees": [
        (
            "B002",
            "core",
            "public.staff",
            (
                "The view public.staff uses the table hr.employees, which belongs to"
                ' the domain "hr".'
            ),
            CORE_USES,
            "Remove it with: DROP VIEW public.staff;",
        ),
    ],
    "CREATE MATERIALIZED VIEW inventory.staff AS SELECT name FROM hr.employees": [
        (
            "B003",
            "inventory",
            "inventory.staff",
            (
                "The materialized view inventory.staff uses the table hr.employees,"
                ' which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP MATERIALIZED VIEW inventory.staff;",
        ),
    ],
    (
        "CREATE TRIGGER drugs_touch BEFORE UPDATE ON inventory.drugs FOR EACH ROW"
        " EXECUTE FUNCTION hr.touch()"
    ): [
        (
            "B004",
            "inventory",
            "inventory.drugs.drugs_touch",
            (
                "The trigger inventory.drugs.drugs_touch uses the function"
                ' hr.touch(), which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP TRIGGER drugs_touch ON inventory.drugs;",
        ),
    ],
    (
        "CREATE TRIGGER users_stock AFTER UPDATE ON public.users FOR EACH ROW EXECUTE"
        " FUNCTION inventory.touch()"
    ): [
        (
            "B004",
            "core",
            "public.users.users_stock",
            (
                "The trigger public.users.users_stock uses the function"
                ' inventory.touch(), which belongs to the domain "inventory".'
            ),
            CORE_USES,
            "Remove it with: DROP TRIGGER users_stock ON public.users;",
        ),
    ],
    ("ALTER TABLE inventory.lots ALTER COLUMN quantity SET DEFAULT nextval('hr.numbers')"): [
        (
            "B005",
            "inventory",
            "inventory.lots.quantity",
            (
                "The default of inventory.lots.quantity uses the sequence hr.numbers,"
                ' which belongs to the domain "hr".'
            ),
            USES,
            ("Remove it with: ALTER TABLE inventory.lots ALTER COLUMN quantity DROP DEFAULT;"),
        ),
    ],
    ("ALTER TABLE public.audit ALTER COLUMN id SET DEFAULT nextval('inventory.numbers')"): [
        (
            "B005",
            "core",
            "public.audit.id",
            (
                "The default of public.audit.id uses the sequence inventory.numbers,"
                ' which belongs to the domain "inventory".'
            ),
            CORE_USES,
            ("Remove it with: ALTER TABLE public.audit ALTER COLUMN id DROP DEFAULT;"),
        ),
    ],
    (
        "ALTER TABLE inventory.lots ADD COLUMN pay int GENERATED ALWAYS AS"
        " (hr.salary(quantity)) STORED"
    ): [
        (
            "B006",
            "inventory",
            "inventory.lots.pay",
            (
                "The generated column inventory.lots.pay uses the function"
                ' hr.salary(integer), which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: ALTER TABLE inventory.lots DROP COLUMN pay;",
        ),
    ],
    "ALTER TABLE inventory.lots ADD COLUMN mood hr.mood": [
        (
            "B007",
            "inventory",
            "inventory.lots.mood",
            (
                "The column inventory.lots.mood uses the type hr.mood, which belongs"
                ' to the domain "hr".'
            ),
            USES,
            "Use a type of its own domain or of core.",
        ),
    ],
    "ALTER TABLE inventory.lots ADD COLUMN moods hr.mood[]": [
        (
            "B007",
            "inventory",
            "inventory.lots.moods",
            (
                "The column inventory.lots.moods uses the type hr.mood[], which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Use a type of its own domain or of core.",
        ),
    ],
    "CREATE TYPE inventory.both AS (a int, m hr.mood)": [
        (
            "B007",
            "inventory",
            'inventory."both"',
            ('The type inventory."both" uses the type hr.mood, which belongs to the domain "hr".'),
            USES,
            "Use a type of its own domain or of core.",
        ),
    ],
    "CREATE DOMAIN inventory.old AS hr.age": [
        (
            "B007",
            "inventory",
            "inventory.old",
            ('The type inventory.old uses the type hr.age, which belongs to the domain "hr".'),
            USES,
            "Use a type of its own domain or of core.",
        ),
    ],
    "CREATE TABLE inventory.pairs OF hr.pair": [
        (
            "B007",
            "inventory",
            "inventory.pairs",
            ('The table inventory.pairs uses the type hr.pair, which belongs to the domain "hr".'),
            USES,
            "Use a type of its own domain or of core.",
        ),
    ],
    "ALTER TABLE inventory.lots ADD COLUMN who hr.employees": [
        (
            "B007",
            "inventory",
            "inventory.lots.who",
            (
                "The column inventory.lots.who uses the type hr.employees, which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Use a type of its own domain or of core.",
        ),
    ],
    "CREATE TABLE inventory.staff () INHERITS (hr.employees)": [
        (
            "B008",
            "inventory",
            "inventory.staff",
            (
                "The table inventory.staff inherits from the table hr.employees,"
                ' which belongs to the domain "hr".'
            ),
            USES,
            ("Remove it with: ALTER TABLE inventory.staff NO INHERIT hr.employees;"),
        ),
    ],
    (
        "CREATE TABLE inventory.parts_2026 PARTITION OF hr.parts FOR VALUES FROM"
        " ('2026-01-01') TO ('2027-01-01')"
    ): [
        (
            "B009",
            "inventory",
            "inventory.parts_2026",
            (
                "The table inventory.parts_2026 is a partition of the table hr.parts,"
                ' which belongs to the domain "hr".'
            ),
            USES,
            ("Remove it with: ALTER TABLE hr.parts DETACH PARTITION inventory.parts_2026;"),
        ),
    ],
    (
        "CREATE RULE watch AS ON INSERT TO inventory.drugs DO ALSO INSERT INTO"
        " hr.employees VALUES (new.id, new.code)"
    ): [
        (
            "B010",
            "inventory",
            "inventory.drugs.watch",
            (
                "The rule inventory.drugs.watch uses the table hr.employees, which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP RULE watch ON inventory.drugs;",
        ),
    ],
    ("CREATE POLICY own ON inventory.drugs USING (id IN (SELECT id FROM hr.employees))"): [
        (
            "B011",
            "inventory",
            "inventory.drugs.own",
            (
                "The policy inventory.drugs.own uses the table hr.employees, which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP POLICY own ON inventory.drugs;",
        ),
    ],
    ("CREATE FUNCTION inventory.hire(hr.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'"): [
        (
            "B013",
            "inventory",
            "inventory.hire(hr.mood)",
            (
                "The function inventory.hire(hr.mood) uses the type hr.mood, which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP FUNCTION inventory.hire(hr.mood);",
        ),
    ],
    (
        "CREATE FUNCTION inventory.staff() RETURNS bigint LANGUAGE sql BEGIN ATOMIC"
        " SELECT count(*) FROM hr.employees; END"
    ): [
        (
            "B013",
            "inventory",
            "inventory.staff()",
            (
                "The function inventory.staff() uses the table hr.employees, which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP FUNCTION inventory.staff();",
        ),
    ],
    (
        "CREATE FUNCTION public.staff() RETURNS bigint LANGUAGE sql AS 'SELECT"
        " count(*) FROM hr.employees, inventory.drugs'"
    ): [
        (
            "B014",
            "core",
            "public.staff()",
            (
                "The function public.staff() names hr.employees, which belongs to the"
                ' domain "hr", in its text (textual).'
            ),
            CORE_USES,
            "Replace it, or drop it.",
        ),
        (
            "B014",
            "core",
            "public.staff()",
            (
                "The function public.staff() names inventory.drugs, which belongs to"
                ' the domain "inventory", in its text (textual).'
            ),
            CORE_USES,
            "Replace it, or drop it.",
        ),
    ],
    (
        "CREATE FUNCTION inventory.leave() RETURNS trigger LANGUAGE plpgsql AS"
        " $$DECLARE mood hr.mood; BEGIN IF EXISTS (SELECT FROM hr.employees) THEN"
        " PERFORM nextval('hr.numbers'); END IF; EXECUTE format('DELETE FROM hr.parts"
        " WHERE id = %L', 1); RETURN NEW; END$$"
    ): [
        (
            "B014",
            "inventory",
            "inventory.leave()",
            (
                "The function inventory.leave() names hr.employees, which belongs to"
                ' the domain "hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
        (
            "B014",
            "inventory",
            "inventory.leave()",
            (
                "The function inventory.leave() names hr.mood, which belongs to the"
                ' domain "hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
        (
            "B014",
            "inventory",
            "inventory.leave()",
            (
                "The function inventory.leave() names hr.numbers, which belongs to"
                ' the domain "hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
        (
            "B014",
            "inventory",
            "inventory.leave()",
            (
                "The function inventory.leave() names hr.parts, which belongs to the"
                ' domain "hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    ("CREATE PROCEDURE inventory.raise() LANGUAGE plpgsql AS 'BEGIN CALL hr.raise(); END'"): [
        (
            "B014",
            "inventory",
            "inventory.raise()",
            (
                "The procedure inventory.raise() names hr.raise, which belongs to the"
                ' domain "hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    (
        "CREATE FUNCTION inventory.path() RETURNS bigint LANGUAGE sql SET search_path"
        " = inventory, hr, pg_temp AS 'SELECT 1::bigint'"
    ): [
        (
            "B014",
            "inventory",
            "inventory.path()",
            (
                "The function inventory.path() has hr, which belongs to the domain"
                ' "hr", in its search_path (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    ("ALTER TABLE inventory.lots ALTER quantity SET DEFAULT nextval('hr.numbers'::text)"): [
        (
            "B014",
            "inventory",
            "inventory.lots.quantity",
            (
                "The default inventory.lots.quantity names hr.numbers, which belongs to the domain "
                '"hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    ("CREATE VIEW inventory.next AS SELECT nextval('hr.numbers'::text)"): [
        (
            "B014",
            "inventory",
            "inventory.next",
            (
                "The view inventory.next names hr.numbers, which belongs to the domain "
                '"hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    (
        "CREATE FUNCTION inventory.f() RETURNS text LANGUAGE sql BEGIN ATOMIC"
        " SELECT pg_get_serial_sequence('hr.staff', 'id'); END"
    ): [
        (
            "B014",
            "inventory",
            "inventory.f()",
            (
                "The function inventory.f() names hr.staff, which belongs to the domain "
                '"hr", in its text (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    (
        "CREATE PROCEDURE inventory.p() LANGUAGE plpgsql AS"
        " $$BEGIN SET LOCAL search_path TO hr; END$$"
    ): [
        (
            "B014",
            "inventory",
            "inventory.p()",
            (
                "The procedure inventory.p() has hr, which belongs to the domain "
                '"hr", in its search_path (textual).'
            ),
            USES,
            "Replace it, or drop it.",
        ),
    ],
    ("ALTER TABLE inventory.lots ADD CONSTRAINT paid CHECK (hr.salary(quantity) > 0)"): [
        (
            "B015",
            "inventory",
            "inventory.lots.paid",
            (
                "The constraint inventory.lots.paid uses the function"
                ' hr.salary(integer), which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: ALTER TABLE inventory.lots DROP CONSTRAINT paid;",
        ),
    ],
    "CREATE INDEX lots_pay ON inventory.lots (hr.salary(quantity))": [
        (
            "B015",
            "inventory",
            "inventory.lots_pay",
            (
                "The index inventory.lots_pay uses the function hr.salary(integer),"
                ' which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP INDEX inventory.lots_pay;",
        ),
    ],
    "CREATE DOMAIN inventory.paid AS int CHECK (hr.salary(VALUE) > 0)": [
        (
            "B015",
            "inventory",
            "inventory.paid",
            (
                "The constraint of the type inventory.paid uses the function"
                ' hr.salary(integer), which belongs to the domain "hr".'
            ),
            USES,
            "Drop it, or build it from objects of its own domain and of core.",
        ),
    ],
    "ALTER TABLE inventory.drugs ADD COLUMN label text COLLATE hr.plain": [
        (
            "B016",
            "inventory",
            "inventory.drugs.label",
            (
                "The column inventory.drugs.label uses the collation hr.plain, which"
                ' belongs to the domain "hr".'
            ),
            USES,
            "Drop it, or build it from objects of its own domain and of core.",
        ),
    ],
    ("CREATE OPERATOR inventory.=~ (LEFTARG = int, RIGHTARG = int, FUNCTION = hr.same)"): [
        (
            "B016",
            "inventory",
            "inventory.=~(integer,integer)",
            (
                "The operator inventory.=~(integer,integer) uses the function"
                ' hr.same(integer,integer), which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP OPERATOR inventory.=~(integer,integer);",
        ),
    ],
    "CREATE STATISTICS inventory.guess ON id, name FROM hr.employees": [
        (
            "B016",
            "inventory",
            "inventory.guess",
            (
                "The statistics object inventory.guess uses the table hr.employees,"
                ' which belongs to the domain "hr".'
            ),
            USES,
            "Remove it with: DROP STATISTICS inventory.guess;",
        ),
    ],
    (
        "CREATE TRIGGER watch AFTER INSERT ON hr.employees FOR EACH ROW EXECUTE"
        " FUNCTION inventory.touch()"
    ): [
        (
            "B004",
            "hr",
            "hr.employees.watch",
            (
                "The trigger hr.employees.watch uses the function inventory.touch(),"
                ' which belongs to the domain "inventory".'
            ),
            USES,
            "Remove it with: DROP TRIGGER watch ON hr.employees;",
        ),
    ],
}
