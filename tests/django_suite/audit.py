"""A comparison of the introspection with ``pg_catalog`` after each test.

Without it a backend that sees nothing would pass every assertion that something is gone.
"""

from __future__ import annotations

import json
from typing import Any

from tests.django_suite.relocation import SCHEMA, split

_CATALOG = """
SELECT table_.relname, jsonb_build_object(
    'columns', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(attname, NOT attnotnull) ORDER BY attnum), '[]')
        FROM pg_attribute
        WHERE attrelid = table_.oid AND attnum > 0 AND NOT attisdropped
    ),
    'constraints', (
        SELECT coalesce(jsonb_object_agg(name, facts), '{}') FROM (
            SELECT conname AS name, jsonb_build_object(
                'columns', ARRAY(
                    SELECT attname
                    FROM unnest(conkey) WITH ORDINALITY AS key (attnum, position)
                    JOIN pg_attribute USING (attnum)
                    WHERE attrelid = conrelid
                    ORDER BY position
                ),
                'primary_key', contype = 'p',
                'unique', contype IN ('p', 'u'),
                'check', contype = 'c',
                'index', false,
                'foreign_key', CASE WHEN contype = 'f' THEN (
                    SELECT jsonb_build_array(nspname, target.relname, attname)
                    FROM pg_class AS target
                    JOIN pg_namespace AS schema ON schema.oid = target.relnamespace
                    JOIN pg_attribute ON attrelid = target.oid AND attnum = confkey[1]
                    WHERE target.oid = confrelid
                ) END
            ) AS facts
            FROM pg_constraint
            WHERE conrelid = table_.oid AND contype <> 'n'
            UNION ALL
            SELECT index.relname, jsonb_build_object(
                'columns', ARRAY(
                    SELECT attname
                    FROM unnest(indkey) WITH ORDINALITY AS key (attnum, position)
                    LEFT JOIN pg_attribute AS keyed
                        ON keyed.attnum = key.attnum AND keyed.attrelid = indrelid
                    WHERE attname IS NOT NULL OR indnatts > 1
                    ORDER BY position
                ),
                'primary_key', indisprimary,
                'unique', indisunique,
                'check', false,
                'index', true,
                'foreign_key', NULL
            )
            FROM pg_index
            JOIN pg_class AS index ON index.oid = indexrelid
            WHERE indrelid = table_.oid
                AND NOT EXISTS (
                    SELECT FROM pg_constraint
                    WHERE conrelid = table_.oid AND conname = index.relname
                )
        ) AS named
    ),
    'relations', (
        SELECT coalesce(jsonb_object_agg(
            own.attname, jsonb_build_array(nspname, target.relname, other.attname)
        ), '{}')
        FROM pg_constraint
        JOIN pg_class AS target ON target.oid = confrelid
        JOIN pg_namespace AS schema ON schema.oid = target.relnamespace
        JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = conkey[1]
        JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = confkey[1]
        WHERE conrelid = table_.oid AND contype = 'f'
    ),
    'sequences', (
        SELECT coalesce(
            jsonb_object_agg(attname, jsonb_build_array(nspname, sequence.relname)), '{}'
        )
        FROM pg_class AS sequence
        JOIN pg_namespace AS schema ON schema.oid = sequence.relnamespace
        JOIN pg_depend AS owned ON owned.objid = sequence.oid
            AND owned.classid = 'pg_class'::regclass
            AND owned.refclassid = 'pg_class'::regclass
        JOIN pg_attribute ON attrelid = owned.refobjid AND attnum = owned.refobjsubid
        WHERE sequence.relkind = 'S' AND owned.refobjid = table_.oid
    ),
    'comment', obj_description(table_.oid, 'pg_class')
)::text
FROM pg_class AS table_
WHERE table_.relnamespace = to_regnamespace(%s) AND table_.relkind IN ('r', 'p')
ORDER BY table_.relname
"""

#: What was already found right: (database, table, what the catalog says of it).
_verified: set[tuple[str, str, str]] = set()


def differences(connection: Any) -> list[str]:
    """Return where introspection and catalog disagree about the moved tables."""
    with connection.cursor() as cursor:
        cursor.execute(_CATALOG, [SCHEMA])
        catalog = dict(cursor.fetchall())
        name = connection.settings_dict["NAME"]
        changed = [table for table in catalog if (name, table, catalog[table]) not in _verified]
        problems = _listing_differences(connection, cursor, catalog)
        for table in changed:
            expected = json.loads(catalog[table])
            found = _introspected(connection, cursor, f'"{SCHEMA}"."{table}"')
            found["constraints"] = {
                name: constraint
                for name, constraint in found["constraints"].items()
                # Django 5.2 lists the NOT NULL constraints of PostgreSQL 18, without any kind.
                if name in expected["constraints"] or any(constraint[kind] for kind in _KINDS)
            }
            del expected["comment"]
            wrong = [
                f"{table}: {key}: introspection says {found[key]!r}, pg_catalog {expected[key]!r}"
                for key in expected
                if found[key] != expected[key]
            ]
            problems += wrong
            if not wrong:
                _verified.add((name, table, catalog[table]))
    return problems


def _listing_differences(connection: Any, cursor: Any, catalog: dict[str, str]) -> list[str]:
    """Compare the list of tables: each moved one once, with its own comment."""
    expected = sorted((table, json.loads(facts)["comment"]) for table, facts in catalog.items())
    found = sorted(
        (split(row.name)[1], row.comment)
        for row in connection.introspection.get_table_list(cursor)
        if split(row.name)[0] == SCHEMA and row.type == "t"
    )
    return [] if found == expected else [f"tables: {found!r}, pg_catalog {expected!r}"]


def _qualified(name: str) -> list[str]:
    schema, table = split(name)
    return [schema or "public", table]


def _introspected(connection: Any, cursor: Any, table: str) -> dict[str, Any]:
    introspection = connection.introspection
    return {
        "columns": [
            [column.name, column.null_ok]
            for column in introspection.get_table_description(cursor, table)
        ],
        "constraints": {
            name: _constraint(constraint)
            for name, constraint in introspection.get_constraints(cursor, table).items()
        },
        "relations": {
            column: [*_qualified(relation[1]), relation[0]]
            for column, relation in introspection.get_relations(cursor, table).items()
        },
        "sequences": {
            row["column"]: _qualified(row["name"])
            for row in introspection.get_sequences(cursor, table)
        },
    }


_KINDS = ("primary_key", "unique", "check", "index", "foreign_key")


def _constraint(constraint: dict[str, Any]) -> dict[str, Any]:
    reference = constraint["foreign_key"]
    return {
        "columns": constraint["columns"],
        "primary_key": constraint["primary_key"],
        "unique": constraint["unique"],
        "check": constraint["check"],
        "index": constraint["index"],
        "foreign_key": reference and [*_qualified(reference[0]), reference[1]],
    }
