"""What people do by hand to the engine's tables, as SQL, by a name for each.

`{h}`, `{j}`, `{s}` and `{r}` are a domain's history, its journal and the two tables of its seeds;
`{app}` is one of its apps, and `{first}` and `{last}` are migrations of that app. `{role}` is a
role that may log in and owns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TIMES = {
    "null": "NULL",
    "infinity": "'infinity'",
    "minus infinity": "'-infinity'",
    "BC": "'0044-03-15 BC'",
    "after 9999": "'12026-11-30'",
    "future": "'2999-01-01'",
}
NAMES = {
    "empty": "''",
    "null": "NULL",
    "control characters": r"E'\x01\x1b[31m\n\r\t'",
    "markup": "'<script>alert(1)</script>'",
    "quotes": r"""E'\'"\\%s{{}}'""",
    "path": "'../../etc/passwd'",
    "very long": "repeat('n', 100000)",
    "other case": "upper({column})",
    "trailing space": "{column} || ' '",
    "right to left": "U&'\\202E\\05D0'",
}
VALUES = {
    "details": ("'[]'", "'5'", "'null'", "'\"x\"'", "'{{\"created\": 5}}'", "NULL"),
    "footprint": ("'[1]'", '\'{{"a": {{"b": 1}}}}\'', "NULL"),
    "status": ("'paused'", "''", "NULL", "'running'", "'failed'"),
    "direction": ("'sideways'", "''", "NULL", "'run'", "'extract'", "'import'", "'verify'"),
    "batch": ("0", "-5", "2147483647", "NULL"),
    "seconds": ("'NaN'", "'Infinity'", "-5", "1e300", "NULL"),
    "checksum": ("'edited'", "''", "NULL"),
    "run": ("NULL", "'00000000-0000-0000-0000-000000000000'"),
    "error": ("NULL", "repeat('e', 100000)"),
    "sqlstate": ("NULL", "''"),
    "id": ("NULL", "1", "-id", "9223372036854775807 - id"),
    "os_user": ("NULL", r"E'\x1b[31m'"),
    "host": ("NULL",),
    "database_user": ("NULL",),
    "project_version": ("NULL",),
    "engine_version": ("NULL", "'99.0'"),
    "django_version": ("NULL",),
}
HISTORY = ("id", "app", "name", "applied")
JOURNAL = (
    *("id", "run", "batch", "app", "name", "direction", "status", "started", "seconds"),
    *("checksum", "database_user", "os_user", "host", "project_version", "engine_version"),
    *("django_version", "footprint", "details", "error", "sqlstate"),
)
SEEDS = (*("id", "app", "name", "checksum", "seeded_at", "inserted", "updated", "kept", "tables"),)
SEED_ROWS = ("relation", "key", "seed", "values")
COLUMNS = {"h": HISTORY, "j": JOURNAL, "s": SEEDS, "r": SEED_ROWS}
TYPES = ("text", "jsonb", "bytea", "integer", "date", "timestamp", "uuid", "text[]")


def _loosened(table: str, column: str) -> str:
    """Drop what keeps odd values out of a column."""
    return (
        f"SELECT drop_keys('{{{table}}}');"
        f' ALTER TABLE {{{table}}} ALTER "{column}" DROP IDENTITY IF EXISTS,'
        f' ALTER "{column}" DROP NOT NULL;'
    )


def _set(table: str, column: str, value: str, where: str = "TRUE") -> str:
    return f'{_loosened(table, column)} UPDATE {{{table}}} SET "{column}" = {value} WHERE {where};'


def rows_of_histories() -> Iterator[tuple[str, str]]:
    latest = "id = (SELECT max(id) FROM {h} WHERE app = '{app}')"
    for name, where in (
        ("every row", "TRUE"),
        ("first row", "app = '{app}' AND name = '{first}'"),
        ("last row", "app = '{app}' AND name = '{last}'"),
    ):
        yield f"history: {name} deleted", f"DELETE FROM {{h}} WHERE {where}"
        copied = (
            f"INSERT INTO {{h}} (app, name, applied) SELECT app, name, %s FROM {{h}} WHERE {where}"
        )
        yield f"history: {name} doubled", copied % "applied"
        yield f"history: {name} doubled later", copied % "applied + '1 day'"
        for time, value in TIMES.items():
            yield f"history: {name} at {time}", _set("h", "applied", value, where)
    yield (
        "history: rows doubled with their ids",
        "SELECT drop_keys('{h}'); INSERT INTO {h} SELECT * FROM {h}",
    )
    yield "history: reversed ids", "SELECT drop_keys('{h}'); UPDATE {h} SET id = -id"
    yield "history: ids null", _set("h", "id", "NULL")
    for name, value in NAMES.items():
        for column in ("app", "name"):
            new = value.replace("{column}", column)
            yield (
                f"history: {column} {name}",
                f"ALTER TABLE {{h}} ALTER {column} TYPE text; " + _set("h", column, new, latest),
            )
            values = ", ".join(
                new if each == column else f"'{{{'app' if each == 'app' else 'last'}}}'"
                for each in ("app", "name")
            )
            if "column" not in value:
                yield (
                    f"history: another row with {column} {name}",
                    f"ALTER TABLE {{h}} ALTER {column} TYPE text, ALTER {column} DROP NOT NULL;"
                    f" INSERT INTO {{h}} (app, name, applied) VALUES ({values}, now())",
                )
    for app in ("auth", "lab", "ward", "gone", "domain_migrations"):
        yield (
            f"history: rows of {app}",
            "INSERT INTO {h} (app, name, applied) VALUES"
            f" ('{app}', '0001_initial', now()), ('{app}', '0003_pending', now()),"
            f" ('{app}', '0099_future', now())",
        )


def rows_of_journals() -> Iterator[tuple[str, str]]:
    for name, where in (
        ("every row", "TRUE"),
        ("every run", "direction = 'run'"),
        ("every step", "direction <> 'run'"),
        ("every end", "status = 'done'"),
        ("last row", "id = (SELECT max(id) FROM {j})"),
    ):
        yield f"journal: {name} deleted", f"DELETE FROM {{j}} WHERE {where}"
    others = ", ".join(column for column in JOURNAL if column != "id")
    copy = f"INSERT INTO {{j}} ({others}) SELECT {others} FROM {{j}}"
    yield "journal: rows doubled", copy
    yield (
        "journal: rows doubled with their ids",
        "SELECT drop_keys('{j}'); INSERT INTO {j} SELECT * FROM {j}",
    )
    for time, value in TIMES.items():
        yield f"journal: started {time}", _set("j", "started", value)
    for column, values in VALUES.items():
        for value in values:
            yield f"journal: {column} {value[:30]}", _set("j", column, value)
    for name, value in NAMES.items():
        for column in ("app", "name"):
            new = value.replace("{column}", column)
            yield (
                f"journal: {column} {name}",
                f"ALTER TABLE {{j}} ALTER {column} TYPE text; " + _set("j", column, new),
            )
    for name, key in (
        ("of an unknown migration", ("'{app}'", "'0099_future'")),
        ("of another domain", ("'ward'", "'0001_initial'")),
        ("of the last migration", ("'{app}'", "'{last}'")),
        ("of no migration", ("''", "''")),
        ("of a pending migration", ("'{app}'", "'0003_pending'")),
    ):
        app, migration = key
        for details in ("{{}}", "[]", '{{"finished": "x", "operations": {{}}}}'):
            values = ", ".join(
                {
                    "run": "gen_random_uuid()",
                    "app": app,
                    "name": migration,
                    "status": "'running'",
                    "details": f"'{details}'",
                }.get(column, column)
                for column in JOURNAL
                if column != "id"
            )
            yield (
                f"journal: running {name} {details[:8]}",
                f"INSERT INTO {{j}} ({others}) SELECT {values} FROM {{j}}"
                " WHERE direction = 'forwards' ORDER BY id LIMIT 1",
            )
    odd = {
        "extract": (
            ("copying", '{{"target": "other"}}'),
            ("copying", '{{"target": 5, "source": "default"}}'),
            (
                "copying",
                '{{"phase": "copying", "source": "default", "target": "other", "name": 5,'
                ' "source_id": null, "triggers": 5, "core_tables": null, "objects_before": 1,'
                ' "details": []}}',
            ),
            ("finished", '{{"target": "other", "source": "default"}}'),
            ("dancing", "{{}}"),
            ("copying", "[]"),
        ),
        "verify": (("", '{{"findings": [1], "kinds": 1, "count": "x"}}'), ("", "[]")),
        "import": (
            ("", '{{"import": {{"tool": "flyway", "table": "x", "left_out": 5}}}}'),
            ("", '{{"import": 5}}'),
        ),
        "cluster": (("", "[]"), ("", '{{"accepted": 5, "shards": 5, "move": [1]}}')),
        "seed": (("", "[]"),),
        "hook": (("", "[]"),),
    }
    for direction, rows in odd.items():
        for index, (name, details) in enumerate(rows):
            values = ", ".join(
                {
                    "direction": f"'{direction}'",
                    "name": f"'{name}'",
                    "details": f"'{details}'",
                }.get(column, column)
                for column in JOURNAL
                if column != "id"
            )
            yield (
                f"journal: {direction} row {index}",
                f"INSERT INTO {{j}} ({others}) SELECT {values} FROM {{j}} ORDER BY id LIMIT 1",
            )


def rows_of_ledgers() -> Iterator[tuple[str, str]]:
    yield "seeds: every row deleted", "DELETE FROM {s}; DELETE FROM {r}"
    yield "seeds: values deleted", "DELETE FROM {r}"
    for time, value in TIMES.items():
        yield f"seeds: seeded_at {time}", _set("s", "seeded_at", value)
    for column, values in {
        "tables": ("NULL", "'5'", "'{{}}'", "'[1, null]'", "'[\"a..b\"]'", "'[\"\"]'"),
        "checksum": ("NULL", "''"),
        "inserted": ("NULL", "-1"),
        "app": ("NULL", "''", "'ward'", r"E'\x01'"),
        "name": ("NULL", "''", r"E'\x01'"),
        "id": ("NULL", "1"),
    }.items():
        for value in values:
            yield f"seeds: {column} {value}", _set("s", column, value)
    for column, values in {
        "values": ("NULL", "'5'", "'[]'", "'{{}}'", "'{{\"id\": {{}}}}'"),
        "key": ("NULL", "''", "'x'", "'[1, 2, 3]'"),
        "seed": ("NULL", "''"),
        "relation": ("NULL", "''", "'a..b'", "'gone.gone'"),
    }.items():
        for value in values:
            yield f"seed rows: {column} {value}", _set("r", column, value)


def shapes() -> Iterator[tuple[str, str]]:
    for table, columns in COLUMNS.items():
        for column in columns:
            yield (
                f"{table}.{column} dropped",
                f'ALTER TABLE {{{table}}} DROP COLUMN "{column}" CASCADE',
            )
            yield (
                f"{table}.{column} renamed",
                f'ALTER TABLE {{{table}}} RENAME "{column}" TO "{column}_old"',
            )
            for kind in TYPES:
                using = {"jsonb": "to_jsonb({c})", "text[]": "ARRAY[{c}::text]"}.get(kind)
                if kind in ("integer", "uuid", "date", "timestamp", "bytea"):
                    fixed = {
                        "integer": "1",
                        "uuid": "'6f9619ff-8b86-4d11-b42d-00c04fc964ff'::uuid",
                        "date": "'2026-11-30'::date",
                        "timestamp": "'2026-11-30'::timestamp",
                        "bytea": "'a'::bytea",
                    }[kind]
                    using = fixed
                using = (using or "{c}::text").replace("{c}", f'"{column}"')
                yield (
                    f"{table}.{column} as {kind}",
                    f"SELECT drop_keys('{{{table}}}'); ALTER TABLE {{{table}}}"
                    f' ALTER "{column}" DROP IDENTITY IF EXISTS, ALTER "{column}" DROP DEFAULT;'
                    f' ALTER TABLE {{{table}}} ALTER "{column}" TYPE {kind} USING {using}',
                )
    for table in COLUMNS:
        name = f"{{{table}}}"
        yield f"{table} without keys", f"SELECT drop_keys('{name}')"
        yield f"{table} with a column", f"ALTER TABLE {name} ADD extra text"
        yield (
            f"{table} with a column to be filled",
            f"ALTER TABLE {name} ADD extra text; UPDATE {name} SET extra = 'x';"
            f" ALTER TABLE {name} ALTER extra SET NOT NULL",
        )
        yield f"{table} with a check", f"ALTER TABLE {name} ADD CHECK (false) NOT VALID"
        yield f"{table} dropped", f"DROP TABLE {name} CASCADE"
        yield f"{table} renamed", f"ALTER TABLE {name} RENAME TO elsewhere"
        for kind in ("VIEW", "MATERIALIZED VIEW"):
            yield (
                f"{table} as a {kind}",
                f"CREATE TABLE public.kept AS SELECT * FROM {name}; DROP TABLE {name} CASCADE;"
                f" CREATE {kind} {name} AS SELECT * FROM public.kept",
            )
        yield f"{table} as a sequence", f"DROP TABLE {name} CASCADE; CREATE SEQUENCE {name}"
        yield f"{table} as a type", f"DROP TABLE {name} CASCADE; CREATE TYPE {name} AS (a int)"
        yield (
            f"{table} partitioned",
            f"CREATE TABLE public.kept AS SELECT * FROM {name}; DROP TABLE {name} CASCADE;"
            f" CREATE TABLE {name} (LIKE public.kept) PARTITION BY HASH"
            f" (lower({'relation' if table == 'r' else 'app'}));"
            " CREATE TABLE public.part PARTITION OF"
            f" {name} FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
            f" INSERT INTO {name} SELECT * FROM public.kept",
        )
        yield (
            f"{table} inherited",
            f"CREATE TABLE public.child (LIKE {name} INCLUDING DEFAULTS) INHERITS ({name});"
            f" INSERT INTO public.child SELECT * FROM ONLY {name}",
        )
        yield (
            f"{table} whose trigger swallows rows",
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NULL; END';"
            f" CREATE TRIGGER swallow BEFORE INSERT OR DELETE ON {name}"
            " FOR EACH ROW EXECUTE FUNCTION swallow()",
        )
        yield (
            f"{table} whose rule swallows rows",
            f"CREATE RULE swallow AS ON INSERT TO {name} DO INSTEAD NOTHING",
        )
    yield "schema dropped", "DROP SCHEMA lab CASCADE"
    yield "schema renamed", "ALTER SCHEMA lab RENAME TO elsewhere"


AS_ROLE = "GRANT USAGE, CREATE ON SCHEMA public, lab, ward TO {role}; SELECT give_away('{role}');"


def privileges() -> Iterator[tuple[str, str]]:
    """Edits that are met by the role, which owns everything else."""
    for table in COLUMNS:
        name = f"{{{table}}}"
        yield (
            f"{table} of another owner, unreadable",
            f"{AS_ROLE} ALTER TABLE {name} OWNER TO {{owner}}",
        )
        yield (
            f"{table} of another owner, readable",
            f"{AS_ROLE} ALTER TABLE {name} OWNER TO {{owner}}; GRANT SELECT ON {name} TO {{role}}",
        )
        yield f"{table} revoked", f"{AS_ROLE} REVOKE ALL ON {name} FROM {{role}}"
        yield (
            f"{table} with row level security",
            f"{AS_ROLE} ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        )
    yield "schema revoked", f"{AS_ROLE} REVOKE ALL ON SCHEMA lab FROM {{role}}, public"


def every_edit() -> Mapping[str, str]:
    """All edits by name."""
    return dict(
        [
            *rows_of_histories(),
            *rows_of_journals(),
            *rows_of_ledgers(),
            *shapes(),
            *privileges(),
        ]
    )
