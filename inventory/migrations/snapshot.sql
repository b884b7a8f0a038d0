-- The schema of the domain "inventory" as its migrations leave it, for an empty database.
-- Written by: manage.py snapshot_domain inventory
-- Do not edit it: write it again.
--
-- format: 1
-- domain: inventory
-- migration: inventory.0001_initial 1:173b974b23136f2bb74ed9d9f3657fd642ba89f4280095dcf76c37a0996ed872
-- migration: inventory.0002_stock 1:d50d0a2960cc284ab3a8427f53f4b6f87ca9e9f5c311a4d79fa742409d36940f
-- migration: inventory.0003_budgets 1:c79dbdf990f5dccb8c0aa9968543634e5a33ef09b20f9cec03557543bbcdfdf6
-- migration: inventory.0004_purchasing 1:2c664da76da06864af1a53b06c40d4145a0e84f11ef792353f6fbf2586a0d1c8
-- migration: inventory.0005_receiving 1:b00e17f39f79fff7341a9b4188f4d01feb4c8ac453ff6504e9c87aabc87104cd
-- migration: inventory.0006_contracts 1:567c61a7dd40240d14ece453908ec817a9c19535ae7adb1a24fa92b675b6d220
-- migration: inventory.0007_budget_requests 1:398543f1406af9544d20c80fbf8b92f0629d5eba06e7edba447d78626db9baa2
-- migration: inventory.0008_rename_drug_name_to_trade_name 1:5e9b17dd50f6cab944c55393fc5ae0756324f49ea9c2fd7b356b9246110d285c
-- migration: inventory.0009_repeat_lot_numbers 1:d9e131624f2decf85103285ab30e07eb9cd4869ed5aacaf46a7822d067a2c25d
-- migration: inventory.0010_purchase_order_total 1:a833ec5c71fc7742a265cc27e043a3a8575abd1b93d90cc1046f1ebe846f92d2
-- migration: inventory.0011_fill_purchase_order_totals 1:2717661549146938c65450b48a43b670c0f24b4cb42cdf8a064c50b0e4ec65c2
-- migration: inventory.0012_require_purchase_order_total 1:6fbfb99b6b97fe8c23ab208a3dc83569babc2bef41a5ab8cfb45c74d65cf9c6d
-- migration: inventory.0013_index_trade_names 1:1be361b1a9d722f94d2a4358cc7646760f7b9a5823bc6b7770f8d5ae40212e15
-- migration: inventory.0014_check_standard_codes 1:0e59499cfd7c15f455106c54e0624667d6bbe1d679d5546f849b7d39dbbfa6e2
-- migration: inventory.0015_validate_standard_codes 1:3dbba6d0a1873dd58f370feaaec8997f8cf59442140bce5eb71e9fc484d69159
-- migration: inventory.0016_stock_on_hand 1:0dea401bd03df0b428daf8505deafe2f1aefdef3a6c7a79a3447e63e1a59c208
-- migration: inventory.0017_keep_stock_levels 1:7bb42a65d788197b147145b0a366ed9fd0232ff1314dddb199f577b42c6055ca
-- migration: inventory.0018_audit_budget_requests 1:a533570efda40209930b026d10a4108a026cd16914669e2276c03d26aa1798d1
-- migration: inventory.0019_invoice_reference 1:fb2e1e9379639bc8509a9b1b2da0c43a11fd54448b31c48a19bdc6ee1ba2635d
-- fingerprint: 1:48e3c66e571d75f8c61878eb43f1257300a76653c3c4e9ad8d0bc946b3b4bfa5
-- content: 307a08e0b74478dbbff9e09a4ce43bf572e852692b7345e8b1a1fdd0b48ceae4
-- core: public.cost_centres.id::bigint
-- core: public.users.id::uuid
-- unmanaged: e17deac660499f8f function inventory.audit_budget_request()
-- unmanaged: 01710e0f2a37ceaa trigger inventory.budget_requests.budget_requests_audit_insert
-- unmanaged: 1fb9d5566629c595 trigger inventory.budget_requests.budget_requests_audit_update
-- unmanaged: cc6d6bcef25169ab function inventory.keep_stock_levels()
-- unmanaged: e36b15619cb00a13 function inventory.move_stock(bigint,bigint,bigint)
-- unmanaged: db09c539239e9dee view inventory.stock_on_hand
-- unmanaged: 75d012fe28656e0a column inventory.stock_on_hand.drug_id
-- unmanaged: 982d9e3eb996f559 column inventory.stock_on_hand.id
-- unmanaged: 75d012fe28656e0a column inventory.stock_on_hand.location_id
-- unmanaged: 75d012fe28656e0a column inventory.stock_on_hand.lots
-- unmanaged: 0e87632cd46bd490 column inventory.stock_on_hand.next_expiry
-- unmanaged: 75d012fe28656e0a column inventory.stock_on_hand.quantity
-- unmanaged: 75d012fe28656e0a column inventory.stock_on_hand.usable
-- unmanaged: 15f450a59134f37a column inventory.stock_on_hand.value
-- unmanaged: 52e0a5964d248474 trigger inventory.stock_transactions.stock_transactions_keep_levels

CREATE FUNCTION inventory.audit_budget_request() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
$$;

CREATE FUNCTION inventory.keep_stock_levels() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM inventory.move_stock(OLD.location_id, OLD.lot_id, -OLD.quantity);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM inventory.move_stock(NEW.location_id, NEW.lot_id, NEW.quantity);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION inventory.move_stock(at_location bigint, of_lot bigint, change bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
$$;

CREATE TABLE inventory.budget_allocations (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    fiscal_year integer NOT NULL,
    budget_id bigint NOT NULL,
    department_id bigint NOT NULL,
    amount numeric(14,2) NOT NULL,
    CONSTRAINT budget_allocations_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT budget_allocations_fiscal_year_check CHECK (((fiscal_year >= 2500) AND (fiscal_year <= 2700)))
);

ALTER TABLE inventory.budget_allocations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_allocations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_categories (
    id bigint NOT NULL,
    code character varying(10) NOT NULL,
    name character varying(100) NOT NULL,
    finance_account_id bigint
);

ALTER TABLE inventory.budget_categories ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_categories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_plans (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    fiscal_year integer NOT NULL,
    department_id bigint NOT NULL,
    generic_id bigint NOT NULL,
    used_last_year bigint NOT NULL,
    quarter_1 bigint NOT NULL,
    quarter_2 bigint NOT NULL,
    quarter_3 bigint NOT NULL,
    quarter_4 bigint NOT NULL,
    unit_price numeric(12,4) NOT NULL,
    CONSTRAINT budget_plans_fiscal_year_check CHECK (((fiscal_year >= 2500) AND (fiscal_year <= 2700))),
    CONSTRAINT budget_plans_quantities_check CHECK (((quarter_1 >= 0) AND (quarter_2 >= 0) AND (quarter_3 >= 0) AND (quarter_4 >= 0) AND (unit_price >= (0)::numeric) AND (used_last_year >= 0)))
);

ALTER TABLE inventory.budget_plans ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_plans_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_request_audits (
    id bigint NOT NULL,
    request_id bigint NOT NULL,
    old_status character varying(20) NOT NULL,
    new_status character varying(20) NOT NULL,
    changed_by_id uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

ALTER TABLE inventory.budget_request_audits ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_request_audits_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_request_comments (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    request_id bigint NOT NULL,
    body text NOT NULL,
    CONSTRAINT budget_request_comments_body_check CHECK ((NOT (body = ''::text)))
);

ALTER TABLE inventory.budget_request_comments ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_request_comments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_request_items (
    id bigint NOT NULL,
    request_id bigint NOT NULL,
    generic_id bigint NOT NULL,
    quantity bigint NOT NULL,
    unit_price numeric(12,4) NOT NULL,
    CONSTRAINT budget_request_items_quantity_check CHECK (((quantity > 0) AND (unit_price >= (0)::numeric)))
);

ALTER TABLE inventory.budget_request_items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_request_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_requests (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    number character varying(30) NOT NULL,
    fiscal_year integer NOT NULL,
    department_id bigint NOT NULL,
    budget_id bigint NOT NULL,
    justification text NOT NULL,
    status character varying(20) NOT NULL,
    approved_amount numeric(14,2),
    updated_by_id uuid NOT NULL,
    CONSTRAINT budget_requests_approved_amount_check CHECK (((((status)::text = 'approved'::text) AND (approved_amount >= (0)::numeric)) OR ((NOT ((status)::text = 'approved'::text)) AND (approved_amount IS NULL)))),
    CONSTRAINT budget_requests_fiscal_year_check CHECK (((fiscal_year >= 2500) AND (fiscal_year <= 2700)))
);

ALTER TABLE inventory.budget_requests ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_reservations (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    allocation_id bigint NOT NULL,
    request_id bigint NOT NULL,
    amount numeric(14,2) NOT NULL,
    status character varying(20) NOT NULL,
    CONSTRAINT budget_reservations_amount_check CHECK ((amount > (0)::numeric))
);

ALTER TABLE inventory.budget_reservations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_reservations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budget_types (
    id bigint NOT NULL,
    code character varying(10) NOT NULL,
    name character varying(100) NOT NULL
);

ALTER TABLE inventory.budget_types ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budget_types_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.budgets (
    id bigint NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(200) NOT NULL,
    type_id bigint NOT NULL,
    category_id bigint NOT NULL,
    is_active boolean NOT NULL
);

ALTER TABLE inventory.budgets ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.budgets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.companies (
    id bigint NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(200) NOT NULL,
    kind character varying(20) NOT NULL,
    tax_id character varying(13) NOT NULL,
    address text NOT NULL,
    phone character varying(50) NOT NULL,
    email character varying(254) NOT NULL,
    is_active boolean NOT NULL,
    CONSTRAINT companies_tax_id_check CHECK ((((tax_id)::text = ''::text) OR ((tax_id)::text ~ '^[0-9]{13}$'::text)))
);

ALTER TABLE inventory.companies ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.companies_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.contract_items (
    id bigint NOT NULL,
    contract_id bigint NOT NULL,
    drug_id bigint NOT NULL,
    pack_ratio_id bigint NOT NULL,
    packs integer NOT NULL,
    pack_price numeric(12,2) NOT NULL,
    CONSTRAINT contract_items_packs_check CHECK (((pack_price >= (0)::numeric) AND (packs > 0)))
);

ALTER TABLE inventory.contract_items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.contract_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.contracts (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    number character varying(50) NOT NULL,
    title character varying(255) NOT NULL,
    vendor_id bigint NOT NULL,
    method character varying(20) NOT NULL,
    fiscal_year integer NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    total_value numeric(14,2) NOT NULL,
    status character varying(20) NOT NULL,
    CONSTRAINT contracts_ends_on_check CHECK ((ends_on >= starts_on)),
    CONSTRAINT contracts_fiscal_year_check CHECK (((fiscal_year >= 2500) AND (fiscal_year <= 2700))),
    CONSTRAINT contracts_total_value_check CHECK ((total_value >= (0)::numeric))
);

ALTER TABLE inventory.contracts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.contracts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.departments (
    id bigint NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(200) NOT NULL,
    cost_centre_id bigint NOT NULL,
    location_id bigint,
    is_active boolean NOT NULL
);

ALTER TABLE inventory.departments ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.departments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.dosage_forms (
    id bigint NOT NULL,
    code character varying(10) NOT NULL,
    name character varying(100) NOT NULL
);

ALTER TABLE inventory.dosage_forms ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.dosage_forms_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.drug_components (
    id bigint NOT NULL,
    generic_id bigint NOT NULL,
    "position" smallint NOT NULL,
    substance character varying(255) NOT NULL,
    amount numeric(12,4) NOT NULL,
    unit_id bigint NOT NULL,
    CONSTRAINT drug_components_amount_check CHECK (((amount > (0)::numeric) AND ("position" >= 1)))
);

ALTER TABLE inventory.drug_components ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.drug_components_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.drug_generics (
    id bigint NOT NULL,
    working_code character varying(7) NOT NULL,
    name character varying(255) NOT NULL,
    strength character varying(100) NOT NULL,
    dosage_form_id bigint NOT NULL,
    issue_unit_id bigint NOT NULL,
    essential_list character varying(2) NOT NULL,
    priority character varying(1) NOT NULL,
    is_controlled boolean NOT NULL,
    reorder_point integer NOT NULL,
    is_active boolean NOT NULL,
    CONSTRAINT drug_generics_reorder_point_check CHECK ((reorder_point >= 0))
);

ALTER TABLE inventory.drug_generics ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.drug_generics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.drug_lots (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    drug_id bigint NOT NULL,
    lot_number character varying(50) NOT NULL,
    manufactured_on date,
    expires_on date NOT NULL,
    unit_cost numeric(12,4) NOT NULL,
    is_quarantined boolean NOT NULL,
    CONSTRAINT drug_lots_expires_on_check CHECK (((manufactured_on IS NULL) OR (manufactured_on < expires_on))),
    CONSTRAINT drug_lots_unit_cost_check CHECK ((unit_cost >= (0)::numeric))
);

ALTER TABLE inventory.drug_lots ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.drug_lots_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.drug_units (
    id bigint NOT NULL,
    code character varying(10) NOT NULL,
    name character varying(100) NOT NULL
);

ALTER TABLE inventory.drug_units ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.drug_units_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.drugs (
    id bigint NOT NULL,
    standard_code character varying(24) NOT NULL,
    generic_id bigint NOT NULL,
    trade_name character varying(255) NOT NULL,
    manufacturer_id bigint NOT NULL,
    registration_number character varying(30) NOT NULL,
    tmt_code character varying(10) NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by_id uuid,
    CONSTRAINT drugs_standard_code_check CHECK (((standard_code)::text ~ '^[0-9]{24}$'::text))
);

ALTER TABLE inventory.drugs ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.drugs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.locations (
    id bigint NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(200) NOT NULL,
    kind character varying(20) NOT NULL,
    storage character varying(10) NOT NULL,
    parent_id bigint,
    is_active boolean NOT NULL,
    CONSTRAINT locations_parent_check CHECK (((parent_id IS NULL) OR (NOT ((parent_id = id) AND (parent_id IS NOT NULL)))))
);

ALTER TABLE inventory.locations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.locations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.pack_ratios (
    id bigint NOT NULL,
    drug_id bigint NOT NULL,
    pack_unit_id bigint NOT NULL,
    units_per_pack integer NOT NULL,
    barcode character varying(50) NOT NULL,
    is_default boolean NOT NULL,
    CONSTRAINT pack_ratios_units_per_pack_check CHECK ((units_per_pack >= 1))
);

ALTER TABLE inventory.pack_ratios ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.pack_ratios_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.purchase_order_items (
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    drug_id bigint NOT NULL,
    pack_ratio_id bigint NOT NULL,
    packs integer NOT NULL,
    packs_received integer NOT NULL,
    pack_price numeric(12,2) NOT NULL,
    CONSTRAINT purchase_order_items_packs_check CHECK (((pack_price >= (0)::numeric) AND (packs > 0))),
    CONSTRAINT purchase_order_items_packs_received_check CHECK (((packs_received >= 0) AND (packs_received <= packs)))
);

ALTER TABLE inventory.purchase_order_items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.purchase_order_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.purchase_orders (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    number character varying(30) NOT NULL,
    request_id bigint,
    vendor_id bigint NOT NULL,
    method character varying(20) NOT NULL,
    ordered_on date NOT NULL,
    due_on date,
    status character varying(20) NOT NULL,
    contract_id bigint,
    total_amount numeric(14,2) NOT NULL,
    CONSTRAINT purchase_orders_due_on_check CHECK (((due_on IS NULL) OR (due_on >= ordered_on))),
    CONSTRAINT purchase_orders_total_amount_check CHECK ((total_amount >= (0)::numeric))
);

ALTER TABLE inventory.purchase_orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.purchase_orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.purchase_request_items (
    id bigint NOT NULL,
    request_id bigint NOT NULL,
    generic_id bigint NOT NULL,
    quantity bigint NOT NULL,
    unit_price numeric(12,4) NOT NULL,
    CONSTRAINT purchase_request_items_quantity_check CHECK (((quantity > 0) AND (unit_price >= (0)::numeric)))
);

ALTER TABLE inventory.purchase_request_items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.purchase_request_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.purchase_requests (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    number character varying(30) NOT NULL,
    fiscal_year integer NOT NULL,
    department_id bigint NOT NULL,
    allocation_id bigint NOT NULL,
    reason text NOT NULL,
    needed_by date,
    status character varying(20) NOT NULL,
    decided_by_id uuid,
    decided_at timestamp with time zone,
    CONSTRAINT purchase_requests_decision_check CHECK (((NOT ((status)::text = ANY (ARRAY['approved'::character varying, 'rejected'::character varying, 'ordered'::character varying]))) OR ((decided_at IS NOT NULL) AND (decided_by_id IS NOT NULL)))),
    CONSTRAINT purchase_requests_fiscal_year_check CHECK (((fiscal_year >= 2500) AND (fiscal_year <= 2700)))
);

ALTER TABLE inventory.purchase_requests ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.purchase_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.receipt_inspectors (
    id bigint NOT NULL,
    receipt_id bigint NOT NULL,
    employee_id bigint NOT NULL,
    role character varying(10) NOT NULL,
    signed_at timestamp with time zone
);

ALTER TABLE inventory.receipt_inspectors ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.receipt_inspectors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.receipt_items (
    id bigint NOT NULL,
    receipt_id bigint NOT NULL,
    order_item_id bigint NOT NULL,
    lot_number character varying(50) NOT NULL,
    manufactured_on date,
    expires_on date NOT NULL,
    packs integer NOT NULL,
    lot_id bigint,
    CONSTRAINT receipt_items_expires_on_check CHECK (((manufactured_on IS NULL) OR (manufactured_on < expires_on))),
    CONSTRAINT receipt_items_packs_check CHECK ((packs > 0))
);

ALTER TABLE inventory.receipt_items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.receipt_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.receipts (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    number character varying(30) NOT NULL,
    order_id bigint NOT NULL,
    location_id bigint NOT NULL,
    received_on date NOT NULL,
    delivery_note character varying(50) NOT NULL,
    finance_invoice_id bigint,
    status character varying(20) NOT NULL,
    posted_at timestamp with time zone,
    posted_by_id uuid,
    CONSTRAINT receipts_posted_check CHECK (((NOT ((status)::text = 'posted'::text)) OR ((posted_at IS NOT NULL) AND (posted_by_id IS NOT NULL))))
);

ALTER TABLE inventory.receipts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.receipts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE inventory.stock_levels (
    id bigint NOT NULL,
    location_id bigint NOT NULL,
    lot_id bigint NOT NULL,
    quantity bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT stock_levels_quantity_check CHECK ((quantity >= 0))
);

ALTER TABLE inventory.stock_levels ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.stock_levels_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW inventory.stock_on_hand AS
 SELECT (((level.location_id)::text || '-'::text) || (lot.drug_id)::text) AS id,
    level.location_id,
    lot.drug_id,
    (sum(level.quantity))::bigint AS quantity,
    (COALESCE(sum(level.quantity) FILTER (WHERE ((NOT lot.is_quarantined) AND (lot.expires_on >= CURRENT_DATE))), (0)::numeric))::bigint AS usable,
    count(*) AS lots,
    min(lot.expires_on) AS next_expiry,
    sum(((level.quantity)::numeric * lot.unit_cost)) AS value
   FROM (inventory.stock_levels level
     JOIN inventory.drug_lots lot ON ((lot.id = level.lot_id)))
  WHERE (level.quantity > 0)
  GROUP BY level.location_id, lot.drug_id;

CREATE TABLE inventory.stock_transactions (
    id bigint NOT NULL,
    kind character varying(20) NOT NULL,
    location_id bigint NOT NULL,
    lot_id bigint NOT NULL,
    quantity bigint NOT NULL,
    department_id bigint,
    reference character varying(100) NOT NULL,
    note text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    created_by_id uuid NOT NULL,
    CONSTRAINT stock_transactions_department_check CHECK (((NOT ((kind)::text = ANY (ARRAY['issue'::character varying, 'return'::character varying]))) OR (department_id IS NOT NULL))),
    CONSTRAINT stock_transactions_quantity_check CHECK (((((kind)::text = ANY (ARRAY['receive'::character varying, 'return'::character varying, 'transfer_in'::character varying])) AND (quantity > 0)) OR (((kind)::text = ANY (ARRAY['issue'::character varying, 'transfer_out'::character varying, 'write_off'::character varying])) AND (quantity < 0)) OR (((kind)::text = 'adjust'::text) AND (NOT (quantity = 0)))))
);

ALTER TABLE inventory.stock_transactions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME inventory.stock_transactions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY inventory.budget_allocations
    ADD CONSTRAINT budget_allocations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_allocations
    ADD CONSTRAINT budget_allocations_year_budget_department_key UNIQUE (fiscal_year, budget_id, department_id);

ALTER TABLE ONLY inventory.budget_categories
    ADD CONSTRAINT budget_categories_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.budget_categories
    ADD CONSTRAINT budget_categories_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_plans
    ADD CONSTRAINT budget_plans_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_plans
    ADD CONSTRAINT budget_plans_year_department_generic_key UNIQUE (fiscal_year, department_id, generic_id);

ALTER TABLE ONLY inventory.budget_request_audits
    ADD CONSTRAINT budget_request_audits_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_request_comments
    ADD CONSTRAINT budget_request_comments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_request_items
    ADD CONSTRAINT budget_request_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_request_items
    ADD CONSTRAINT budget_request_items_request_generic_key UNIQUE (request_id, generic_id);

ALTER TABLE ONLY inventory.budget_requests
    ADD CONSTRAINT budget_requests_number_key UNIQUE (number);

ALTER TABLE ONLY inventory.budget_requests
    ADD CONSTRAINT budget_requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_reservations
    ADD CONSTRAINT budget_reservations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budget_types
    ADD CONSTRAINT budget_types_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.budget_types
    ADD CONSTRAINT budget_types_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budgets
    ADD CONSTRAINT budgets_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.budgets
    ADD CONSTRAINT budgets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.budgets
    ADD CONSTRAINT budgets_type_category_key UNIQUE (type_id, category_id);

ALTER TABLE ONLY inventory.companies
    ADD CONSTRAINT companies_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.companies
    ADD CONSTRAINT companies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.contract_items
    ADD CONSTRAINT contract_items_contract_drug_key UNIQUE (contract_id, drug_id, pack_ratio_id);

ALTER TABLE ONLY inventory.contract_items
    ADD CONSTRAINT contract_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.contracts
    ADD CONSTRAINT contracts_number_key UNIQUE (number);

ALTER TABLE ONLY inventory.contracts
    ADD CONSTRAINT contracts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.departments
    ADD CONSTRAINT departments_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.departments
    ADD CONSTRAINT departments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.dosage_forms
    ADD CONSTRAINT dosage_forms_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.dosage_forms
    ADD CONSTRAINT dosage_forms_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.drug_components
    ADD CONSTRAINT drug_components_generic_position_key UNIQUE (generic_id, "position");

ALTER TABLE ONLY inventory.drug_components
    ADD CONSTRAINT drug_components_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.drug_generics
    ADD CONSTRAINT drug_generics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.drug_generics
    ADD CONSTRAINT drug_generics_working_code_key UNIQUE (working_code);

ALTER TABLE ONLY inventory.drug_lots
    ADD CONSTRAINT drug_lots_drug_lot_expiry_key UNIQUE (drug_id, lot_number, expires_on);

ALTER TABLE ONLY inventory.drug_lots
    ADD CONSTRAINT drug_lots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.drug_units
    ADD CONSTRAINT drug_units_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.drug_units
    ADD CONSTRAINT drug_units_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.drugs
    ADD CONSTRAINT drugs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.drugs
    ADD CONSTRAINT drugs_standard_code_key UNIQUE (standard_code);

ALTER TABLE ONLY inventory.locations
    ADD CONSTRAINT locations_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.locations
    ADD CONSTRAINT locations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.pack_ratios
    ADD CONSTRAINT pack_ratios_drug_pack_key UNIQUE (drug_id, pack_unit_id, units_per_pack);

ALTER TABLE ONLY inventory.pack_ratios
    ADD CONSTRAINT pack_ratios_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.purchase_order_items
    ADD CONSTRAINT purchase_order_items_order_drug_key UNIQUE (order_id, drug_id, pack_ratio_id);

ALTER TABLE ONLY inventory.purchase_order_items
    ADD CONSTRAINT purchase_order_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.purchase_orders
    ADD CONSTRAINT purchase_orders_number_key UNIQUE (number);

ALTER TABLE ONLY inventory.purchase_orders
    ADD CONSTRAINT purchase_orders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.purchase_request_items
    ADD CONSTRAINT purchase_request_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.purchase_request_items
    ADD CONSTRAINT purchase_request_items_request_generic_key UNIQUE (request_id, generic_id);

ALTER TABLE ONLY inventory.purchase_requests
    ADD CONSTRAINT purchase_requests_number_key UNIQUE (number);

ALTER TABLE ONLY inventory.purchase_requests
    ADD CONSTRAINT purchase_requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.receipt_inspectors
    ADD CONSTRAINT receipt_inspectors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.receipt_inspectors
    ADD CONSTRAINT receipt_inspectors_receipt_employee_key UNIQUE (receipt_id, employee_id);

ALTER TABLE ONLY inventory.receipt_items
    ADD CONSTRAINT receipt_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.receipt_items
    ADD CONSTRAINT receipt_items_receipt_lot_key UNIQUE (receipt_id, order_item_id, lot_number, expires_on);

ALTER TABLE ONLY inventory.receipts
    ADD CONSTRAINT receipts_number_key UNIQUE (number);

ALTER TABLE ONLY inventory.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.stock_levels
    ADD CONSTRAINT stock_levels_location_lot_key UNIQUE (location_id, lot_id);

ALTER TABLE ONLY inventory.stock_levels
    ADD CONSTRAINT stock_levels_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.stock_transactions
    ADD CONSTRAINT stock_transactions_pkey PRIMARY KEY (id);

CREATE INDEX budget_allocations_budget_id_a525dbd2 ON inventory.budget_allocations USING btree (budget_id);

CREATE INDEX budget_allocations_created_by_id_222849c4 ON inventory.budget_allocations USING btree (created_by_id);

CREATE INDEX budget_allocations_department_id_b7fe7b0e ON inventory.budget_allocations USING btree (department_id);

CREATE INDEX budget_plans_created_by_id_9ac2a045 ON inventory.budget_plans USING btree (created_by_id);

CREATE INDEX budget_plans_department_id_5bdda165 ON inventory.budget_plans USING btree (department_id);

CREATE INDEX budget_plans_generic_id_580b11ef ON inventory.budget_plans USING btree (generic_id);

CREATE INDEX budget_request_audits_changed_by_id_2fc5afc8 ON inventory.budget_request_audits USING btree (changed_by_id);

CREATE INDEX budget_request_audits_request_id_7545a1ce ON inventory.budget_request_audits USING btree (request_id);

CREATE INDEX budget_request_comments_created_by_id_b5f2d2c3 ON inventory.budget_request_comments USING btree (created_by_id);

CREATE INDEX budget_request_comments_request_id_8c7ef753 ON inventory.budget_request_comments USING btree (request_id);

CREATE INDEX budget_request_items_generic_id_db0e870a ON inventory.budget_request_items USING btree (generic_id);

CREATE INDEX budget_request_items_request_id_5a892a73 ON inventory.budget_request_items USING btree (request_id);

CREATE INDEX budget_requests_budget_id_03c5621e ON inventory.budget_requests USING btree (budget_id);

CREATE INDEX budget_requests_created_by_id_adbb2169 ON inventory.budget_requests USING btree (created_by_id);

CREATE INDEX budget_requests_department_id_3f500320 ON inventory.budget_requests USING btree (department_id);

CREATE INDEX budget_requests_status_idx ON inventory.budget_requests USING btree (status, fiscal_year);

CREATE INDEX budget_requests_updated_by_id_217fc42c ON inventory.budget_requests USING btree (updated_by_id);

CREATE INDEX budget_reservations_allocation_id_8809e09d ON inventory.budget_reservations USING btree (allocation_id);

CREATE INDEX budget_reservations_created_by_id_ba66694b ON inventory.budget_reservations USING btree (created_by_id);

CREATE UNIQUE INDEX budget_reservations_open_request_key ON inventory.budget_reservations USING btree (request_id) WHERE (NOT ((status)::text = 'released'::text));

CREATE INDEX budget_reservations_request_id_a4e736c5 ON inventory.budget_reservations USING btree (request_id);

CREATE INDEX budgets_category_id_328a159f ON inventory.budgets USING btree (category_id);

CREATE INDEX budgets_type_id_de0edc6b ON inventory.budgets USING btree (type_id);

CREATE INDEX contract_items_contract_id_b55ff1db ON inventory.contract_items USING btree (contract_id);

CREATE INDEX contract_items_drug_id_1d9c314f ON inventory.contract_items USING btree (drug_id);

CREATE INDEX contract_items_pack_ratio_id_1abd7366 ON inventory.contract_items USING btree (pack_ratio_id);

CREATE INDEX contracts_created_by_id_0589e5ed ON inventory.contracts USING btree (created_by_id);

CREATE INDEX contracts_vendor_ends_idx ON inventory.contracts USING btree (vendor_id, ends_on);

CREATE INDEX contracts_vendor_id_9f61d5a7 ON inventory.contracts USING btree (vendor_id);

CREATE INDEX departments_cost_centre_id_bae27562 ON inventory.departments USING btree (cost_centre_id);

CREATE INDEX departments_location_id_260f1245 ON inventory.departments USING btree (location_id);

CREATE INDEX drug_components_generic_id_8d0cc42b ON inventory.drug_components USING btree (generic_id);

CREATE INDEX drug_components_unit_id_6c1d084e ON inventory.drug_components USING btree (unit_id);

CREATE INDEX drug_generics_dosage_form_id_662d81f5 ON inventory.drug_generics USING btree (dosage_form_id);

CREATE INDEX drug_generics_issue_unit_id_07551f4d ON inventory.drug_generics USING btree (issue_unit_id);

CREATE INDEX drug_generics_name_idx ON inventory.drug_generics USING btree (name);

CREATE INDEX drug_lots_created_by_id_7e600667 ON inventory.drug_lots USING btree (created_by_id);

CREATE INDEX drug_lots_drug_expiry_idx ON inventory.drug_lots USING btree (drug_id, expires_on);

CREATE INDEX drug_lots_drug_id_b6b53800 ON inventory.drug_lots USING btree (drug_id);

CREATE INDEX drugs_created_by_id_03dc9ea7 ON inventory.drugs USING btree (created_by_id);

CREATE INDEX drugs_generic_id_6be57035 ON inventory.drugs USING btree (generic_id);

CREATE INDEX drugs_manufacturer_id_a8cc1247 ON inventory.drugs USING btree (manufacturer_id);

CREATE INDEX drugs_trade_name_idx ON inventory.drugs USING btree (trade_name);

CREATE INDEX locations_parent_id_be56a103 ON inventory.locations USING btree (parent_id);

CREATE UNIQUE INDEX pack_ratios_default_key ON inventory.pack_ratios USING btree (drug_id) WHERE is_default;

CREATE INDEX pack_ratios_drug_id_dc8b8f7e ON inventory.pack_ratios USING btree (drug_id);

CREATE INDEX pack_ratios_pack_unit_id_db3a6eec ON inventory.pack_ratios USING btree (pack_unit_id);

CREATE INDEX purchase_order_items_drug_id_713e4cd9 ON inventory.purchase_order_items USING btree (drug_id);

CREATE INDEX purchase_order_items_order_id_3e4211ed ON inventory.purchase_order_items USING btree (order_id);

CREATE INDEX purchase_order_items_pack_ratio_id_4faa4dc6 ON inventory.purchase_order_items USING btree (pack_ratio_id);

CREATE INDEX purchase_orders_contract_id_90d0995e ON inventory.purchase_orders USING btree (contract_id);

CREATE INDEX purchase_orders_created_by_id_e9edd3e0 ON inventory.purchase_orders USING btree (created_by_id);

CREATE INDEX purchase_orders_request_id_9b3d6cab ON inventory.purchase_orders USING btree (request_id);

CREATE INDEX purchase_orders_vendor_id_1c5f8967 ON inventory.purchase_orders USING btree (vendor_id);

CREATE INDEX purchase_request_items_generic_id_ec446e90 ON inventory.purchase_request_items USING btree (generic_id);

CREATE INDEX purchase_request_items_request_id_9f6c9aa2 ON inventory.purchase_request_items USING btree (request_id);

CREATE INDEX purchase_requests_allocation_id_e479f58a ON inventory.purchase_requests USING btree (allocation_id);

CREATE INDEX purchase_requests_created_by_id_97a36cd7 ON inventory.purchase_requests USING btree (created_by_id);

CREATE INDEX purchase_requests_decided_by_id_bc647782 ON inventory.purchase_requests USING btree (decided_by_id);

CREATE INDEX purchase_requests_department_id_27ae410b ON inventory.purchase_requests USING btree (department_id);

CREATE INDEX purchase_requests_status_idx ON inventory.purchase_requests USING btree (status, department_id);

CREATE UNIQUE INDEX receipt_inspectors_chair_key ON inventory.receipt_inspectors USING btree (receipt_id) WHERE ((role)::text = 'chair'::text);

CREATE INDEX receipt_inspectors_receipt_id_3c27d22c ON inventory.receipt_inspectors USING btree (receipt_id);

CREATE INDEX receipt_items_lot_id_35684fef ON inventory.receipt_items USING btree (lot_id);

CREATE INDEX receipt_items_order_item_id_802d0c82 ON inventory.receipt_items USING btree (order_item_id);

CREATE INDEX receipt_items_receipt_id_5524e1ea ON inventory.receipt_items USING btree (receipt_id);

CREATE INDEX receipts_created_by_id_d15eebbd ON inventory.receipts USING btree (created_by_id);

CREATE INDEX receipts_location_id_9b426956 ON inventory.receipts USING btree (location_id);

CREATE INDEX receipts_order_id_b96ec8e4 ON inventory.receipts USING btree (order_id);

CREATE INDEX receipts_posted_by_id_8b2fee18 ON inventory.receipts USING btree (posted_by_id);

CREATE INDEX stock_levels_location_id_20958654 ON inventory.stock_levels USING btree (location_id);

CREATE INDEX stock_levels_lot_id_1d03d889 ON inventory.stock_levels USING btree (lot_id);

CREATE INDEX stock_transactions_created_by_id_7e0e0951 ON inventory.stock_transactions USING btree (created_by_id);

CREATE INDEX stock_transactions_department_id_c136d779 ON inventory.stock_transactions USING btree (department_id);

CREATE INDEX stock_transactions_location_id_ae58c4d4 ON inventory.stock_transactions USING btree (location_id);

CREATE INDEX stock_transactions_lot_id_f5d87d32 ON inventory.stock_transactions USING btree (lot_id);

CREATE INDEX stock_transactions_lot_idx ON inventory.stock_transactions USING btree (lot_id, occurred_at);

CREATE TRIGGER budget_requests_audit_insert AFTER INSERT ON inventory.budget_requests FOR EACH ROW EXECUTE FUNCTION inventory.audit_budget_request();

CREATE TRIGGER budget_requests_audit_update AFTER UPDATE OF status ON inventory.budget_requests FOR EACH ROW WHEN (((old.status)::text IS DISTINCT FROM (new.status)::text)) EXECUTE FUNCTION inventory.audit_budget_request();

CREATE TRIGGER stock_transactions_keep_levels AFTER INSERT OR DELETE OR UPDATE OF location_id, lot_id, quantity ON inventory.stock_transactions FOR EACH ROW EXECUTE FUNCTION inventory.keep_stock_levels();

ALTER TABLE ONLY inventory.budget_allocations
    ADD CONSTRAINT budget_allocations_budget_id_a525dbd2_fk_budgets_id FOREIGN KEY (budget_id) REFERENCES inventory.budgets(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_allocations
    ADD CONSTRAINT budget_allocations_created_by_id_222849c4_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_allocations
    ADD CONSTRAINT budget_allocations_department_id_b7fe7b0e_fk_departments_id FOREIGN KEY (department_id) REFERENCES inventory.departments(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_plans
    ADD CONSTRAINT budget_plans_created_by_id_9ac2a045_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_plans
    ADD CONSTRAINT budget_plans_department_id_5bdda165_fk_departments_id FOREIGN KEY (department_id) REFERENCES inventory.departments(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_plans
    ADD CONSTRAINT budget_plans_generic_id_580b11ef_fk_drug_generics_id FOREIGN KEY (generic_id) REFERENCES inventory.drug_generics(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_request_audits
    ADD CONSTRAINT budget_request_audits_changed_by_id_2fc5afc8_fk_users_id FOREIGN KEY (changed_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_request_audits
    ADD CONSTRAINT budget_request_audits_request_id_7545a1ce_fk_budget_requests_id FOREIGN KEY (request_id) REFERENCES inventory.budget_requests(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_request_comments
    ADD CONSTRAINT budget_request_comme_request_id_8c7ef753_fk_budget_re FOREIGN KEY (request_id) REFERENCES inventory.budget_requests(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_request_comments
    ADD CONSTRAINT budget_request_comments_created_by_id_b5f2d2c3_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_request_items
    ADD CONSTRAINT budget_request_items_generic_id_db0e870a_fk_drug_generics_id FOREIGN KEY (generic_id) REFERENCES inventory.drug_generics(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_request_items
    ADD CONSTRAINT budget_request_items_request_id_5a892a73_fk_budget_requests_id FOREIGN KEY (request_id) REFERENCES inventory.budget_requests(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_requests
    ADD CONSTRAINT budget_requests_budget_id_03c5621e_fk_budgets_id FOREIGN KEY (budget_id) REFERENCES inventory.budgets(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_requests
    ADD CONSTRAINT budget_requests_created_by_id_adbb2169_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_requests
    ADD CONSTRAINT budget_requests_department_id_3f500320_fk_departments_id FOREIGN KEY (department_id) REFERENCES inventory.departments(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_requests
    ADD CONSTRAINT budget_requests_updated_by_id_217fc42c_fk_users_id FOREIGN KEY (updated_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_reservations
    ADD CONSTRAINT budget_reservations_allocation_id_8809e09d_fk_budget_al FOREIGN KEY (allocation_id) REFERENCES inventory.budget_allocations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_reservations
    ADD CONSTRAINT budget_reservations_created_by_id_ba66694b_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budget_reservations
    ADD CONSTRAINT budget_reservations_request_id_a4e736c5_fk_purchase_requests_id FOREIGN KEY (request_id) REFERENCES inventory.purchase_requests(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budgets
    ADD CONSTRAINT budgets_category_id_328a159f_fk_budget_categories_id FOREIGN KEY (category_id) REFERENCES inventory.budget_categories(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.budgets
    ADD CONSTRAINT budgets_type_id_de0edc6b_fk_budget_types_id FOREIGN KEY (type_id) REFERENCES inventory.budget_types(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.contract_items
    ADD CONSTRAINT contract_items_contract_id_b55ff1db_fk_contracts_id FOREIGN KEY (contract_id) REFERENCES inventory.contracts(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.contract_items
    ADD CONSTRAINT contract_items_drug_id_1d9c314f_fk_drugs_id FOREIGN KEY (drug_id) REFERENCES inventory.drugs(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.contract_items
    ADD CONSTRAINT contract_items_pack_ratio_id_1abd7366_fk_pack_ratios_id FOREIGN KEY (pack_ratio_id) REFERENCES inventory.pack_ratios(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.contracts
    ADD CONSTRAINT contracts_created_by_id_0589e5ed_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.contracts
    ADD CONSTRAINT contracts_vendor_id_9f61d5a7_fk_companies_id FOREIGN KEY (vendor_id) REFERENCES inventory.companies(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.departments
    ADD CONSTRAINT departments_cost_centre_id_bae27562_fk_cost_centres_id FOREIGN KEY (cost_centre_id) REFERENCES public.cost_centres(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.departments
    ADD CONSTRAINT departments_location_id_260f1245_fk_locations_id FOREIGN KEY (location_id) REFERENCES inventory.locations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drug_components
    ADD CONSTRAINT drug_components_generic_id_8d0cc42b_fk_drug_generics_id FOREIGN KEY (generic_id) REFERENCES inventory.drug_generics(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drug_components
    ADD CONSTRAINT drug_components_unit_id_6c1d084e_fk_drug_units_id FOREIGN KEY (unit_id) REFERENCES inventory.drug_units(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drug_generics
    ADD CONSTRAINT drug_generics_dosage_form_id_662d81f5_fk_dosage_forms_id FOREIGN KEY (dosage_form_id) REFERENCES inventory.dosage_forms(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drug_generics
    ADD CONSTRAINT drug_generics_issue_unit_id_07551f4d_fk_drug_units_id FOREIGN KEY (issue_unit_id) REFERENCES inventory.drug_units(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drug_lots
    ADD CONSTRAINT drug_lots_created_by_id_7e600667_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drug_lots
    ADD CONSTRAINT drug_lots_drug_id_b6b53800_fk_drugs_id FOREIGN KEY (drug_id) REFERENCES inventory.drugs(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drugs
    ADD CONSTRAINT drugs_created_by_id_03dc9ea7_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drugs
    ADD CONSTRAINT drugs_generic_id_6be57035_fk_drug_generics_id FOREIGN KEY (generic_id) REFERENCES inventory.drug_generics(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.drugs
    ADD CONSTRAINT drugs_manufacturer_id_a8cc1247_fk_companies_id FOREIGN KEY (manufacturer_id) REFERENCES inventory.companies(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.locations
    ADD CONSTRAINT locations_parent_id_be56a103_fk_locations_id FOREIGN KEY (parent_id) REFERENCES inventory.locations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.pack_ratios
    ADD CONSTRAINT pack_ratios_drug_id_dc8b8f7e_fk_drugs_id FOREIGN KEY (drug_id) REFERENCES inventory.drugs(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.pack_ratios
    ADD CONSTRAINT pack_ratios_pack_unit_id_db3a6eec_fk_drug_units_id FOREIGN KEY (pack_unit_id) REFERENCES inventory.drug_units(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_order_items
    ADD CONSTRAINT purchase_order_items_drug_id_713e4cd9_fk_drugs_id FOREIGN KEY (drug_id) REFERENCES inventory.drugs(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_order_items
    ADD CONSTRAINT purchase_order_items_order_id_3e4211ed_fk_purchase_orders_id FOREIGN KEY (order_id) REFERENCES inventory.purchase_orders(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_order_items
    ADD CONSTRAINT purchase_order_items_pack_ratio_id_4faa4dc6_fk_pack_ratios_id FOREIGN KEY (pack_ratio_id) REFERENCES inventory.pack_ratios(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_orders
    ADD CONSTRAINT purchase_orders_contract_id_90d0995e_fk_contracts_id FOREIGN KEY (contract_id) REFERENCES inventory.contracts(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_orders
    ADD CONSTRAINT purchase_orders_created_by_id_e9edd3e0_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_orders
    ADD CONSTRAINT purchase_orders_request_id_9b3d6cab_fk_purchase_requests_id FOREIGN KEY (request_id) REFERENCES inventory.purchase_requests(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_orders
    ADD CONSTRAINT purchase_orders_vendor_id_1c5f8967_fk_companies_id FOREIGN KEY (vendor_id) REFERENCES inventory.companies(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_request_items
    ADD CONSTRAINT purchase_request_ite_request_id_9f6c9aa2_fk_purchase_ FOREIGN KEY (request_id) REFERENCES inventory.purchase_requests(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_request_items
    ADD CONSTRAINT purchase_request_items_generic_id_ec446e90_fk_drug_generics_id FOREIGN KEY (generic_id) REFERENCES inventory.drug_generics(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_requests
    ADD CONSTRAINT purchase_requests_allocation_id_e479f58a_fk_budget_al FOREIGN KEY (allocation_id) REFERENCES inventory.budget_allocations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_requests
    ADD CONSTRAINT purchase_requests_created_by_id_97a36cd7_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_requests
    ADD CONSTRAINT purchase_requests_decided_by_id_bc647782_fk_users_id FOREIGN KEY (decided_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.purchase_requests
    ADD CONSTRAINT purchase_requests_department_id_27ae410b_fk_departments_id FOREIGN KEY (department_id) REFERENCES inventory.departments(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipt_inspectors
    ADD CONSTRAINT receipt_inspectors_receipt_id_3c27d22c_fk_receipts_id FOREIGN KEY (receipt_id) REFERENCES inventory.receipts(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipt_items
    ADD CONSTRAINT receipt_items_lot_id_35684fef_fk_drug_lots_id FOREIGN KEY (lot_id) REFERENCES inventory.drug_lots(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipt_items
    ADD CONSTRAINT receipt_items_order_item_id_802d0c82_fk_purchase_order_items_id FOREIGN KEY (order_item_id) REFERENCES inventory.purchase_order_items(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipt_items
    ADD CONSTRAINT receipt_items_receipt_id_5524e1ea_fk_receipts_id FOREIGN KEY (receipt_id) REFERENCES inventory.receipts(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipts
    ADD CONSTRAINT receipts_created_by_id_d15eebbd_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipts
    ADD CONSTRAINT receipts_location_id_9b426956_fk_locations_id FOREIGN KEY (location_id) REFERENCES inventory.locations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipts
    ADD CONSTRAINT receipts_order_id_b96ec8e4_fk_purchase_orders_id FOREIGN KEY (order_id) REFERENCES inventory.purchase_orders(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.receipts
    ADD CONSTRAINT receipts_posted_by_id_8b2fee18_fk_users_id FOREIGN KEY (posted_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.stock_levels
    ADD CONSTRAINT stock_levels_location_id_20958654_fk_locations_id FOREIGN KEY (location_id) REFERENCES inventory.locations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.stock_levels
    ADD CONSTRAINT stock_levels_lot_id_1d03d889_fk_drug_lots_id FOREIGN KEY (lot_id) REFERENCES inventory.drug_lots(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.stock_transactions
    ADD CONSTRAINT stock_transactions_created_by_id_7e0e0951_fk_users_id FOREIGN KEY (created_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.stock_transactions
    ADD CONSTRAINT stock_transactions_department_id_c136d779_fk_departments_id FOREIGN KEY (department_id) REFERENCES inventory.departments(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.stock_transactions
    ADD CONSTRAINT stock_transactions_location_id_ae58c4d4_fk_locations_id FOREIGN KEY (location_id) REFERENCES inventory.locations(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY inventory.stock_transactions
    ADD CONSTRAINT stock_transactions_lot_id_f5d87d32_fk_drug_lots_id FOREIGN KEY (lot_id) REFERENCES inventory.drug_lots(id) DEFERRABLE INITIALLY DEFERRED;
