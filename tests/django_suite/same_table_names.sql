-- Makes a database in which nothing can be found by its bare name alone.
--
-- Every model's table lives in the schema "moved". As soon as one appears there, a table of the
-- same name but of another shape appears in the schema "homonym", so that a query on relname alone
-- finds too much. Every index and sequence gets a namesake in "public", which is what an
-- unqualified DROP INDEX or ALTER SEQUENCE hits. Touching any of them is an error.

CREATE SCHEMA moved;
CREATE SCHEMA homonym;

CREATE TABLE homonym.target (target_id bigint PRIMARY KEY);
CREATE TABLE homonym.registry (oid oid PRIMARY KEY);
CREATE TABLE public.django_suite_homonyms (value integer);

CREATE FUNCTION homonym.create_namesakes() RETURNS event_trigger LANGUAGE plpgsql AS $body$
DECLARE
    command record;
    missing record;
BEGIN
    IF current_setting('django_suite.busy', true) = 'on' THEN
        RETURN;
    END IF;
    FOR command IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        IF command.schema_name = 'homonym'
            OR EXISTS (SELECT FROM homonym.registry WHERE oid = command.objid)
        THEN
            RAISE EXCEPTION 'the homonym % was touched by %',
                command.object_identity, command.command_tag;
        END IF;
    END LOOP;
    PERFORM set_config('django_suite.busy', 'on', true);
    FOR missing IN
        SELECT original.relname, original.relkind
        FROM pg_class AS original
        WHERE original.relnamespace = 'moved'::regnamespace
            AND original.relkind IN ('r', 'p', 'i', 'I', 'S')
            AND NOT EXISTS (
                SELECT FROM pg_class AS namesake
                WHERE namesake.relname = original.relname
                    AND namesake.relnamespace = CASE
                        WHEN original.relkind IN ('r', 'p') THEN 'homonym'::regnamespace
                        ELSE 'public'::regnamespace
                    END
            )
    LOOP
        IF missing.relkind IN ('r', 'p') THEN
            EXECUTE format(
                'CREATE TABLE homonym.%I ('
                    'homonym_id bigserial PRIMARY KEY, '
                    'id text, '
                    'homonym_unique integer UNIQUE, '
                    'homonym_check integer CHECK (homonym_check > 0), '
                    'homonym_reference bigint REFERENCES homonym.target)',
                missing.relname
            );
        ELSIF missing.relkind = 'S' THEN
            EXECUTE format('CREATE SEQUENCE public.%I', missing.relname);
            INSERT INTO homonym.registry VALUES (format('public.%I', missing.relname)::regclass);
        ELSE
            EXECUTE format(
                'CREATE INDEX %I ON public.django_suite_homonyms (value)', missing.relname
            );
            INSERT INTO homonym.registry VALUES (format('public.%I', missing.relname)::regclass);
        END IF;
    END LOOP;
    PERFORM set_config('django_suite.busy', 'off', true);
END
$body$;

CREATE FUNCTION homonym.refuse_drop() RETURNS event_trigger LANGUAGE plpgsql AS $body$
DECLARE
    dropped record;
BEGIN
    FOR dropped IN SELECT * FROM pg_event_trigger_dropped_objects() LOOP
        IF dropped.schema_name = 'homonym'
            OR EXISTS (SELECT FROM homonym.registry WHERE oid = dropped.objid)
        THEN
            RAISE EXCEPTION 'the homonym % was dropped', dropped.object_identity;
        END IF;
    END LOOP;
END
$body$;

CREATE EVENT TRIGGER django_suite_namesakes ON ddl_command_end
    EXECUTE FUNCTION homonym.create_namesakes();
CREATE EVENT TRIGGER django_suite_refuse_drop ON sql_drop
    EXECUTE FUNCTION homonym.refuse_drop();
