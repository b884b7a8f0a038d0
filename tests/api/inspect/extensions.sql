-- What needs extensions that only a server with the contrib modules has.
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;

CREATE TABLE lager.labels (
    id serial PRIMARY KEY,
    name public.citext NOT NULL,
    attributes public.hstore,
    room integer,
    booked daterange,
    CONSTRAINT labels_no_overlap EXCLUDE USING gist (room WITH =, booked WITH &&)
);
CREATE INDEX labels_name_trgm ON lager.labels USING gin (name public.gin_trgm_ops);
CREATE INDEX labels_siglen ON lager.labels USING gist (name public.gist_trgm_ops (siglen = 32));
CREATE INDEX labels_code_trgm ON lager.labels
    USING gin (lower(name::text) public.gin_trgm_ops);
