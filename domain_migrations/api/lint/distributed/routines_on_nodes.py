"""Rules on functions: what they read on a worker, and those that work on other nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....domains import CORE_SCHEMA
from ....engine.sql.words import Words
from ..script import LintFinding, MigrationScript
from .statement_texts import bodies, calls, row_changes, texts

TABLE_NAME = "citus-table-name-in-trigger"
TRIGGER_WRITES = "citus-trigger-writes"
NODE_FUNCTION = "citus-node-function"

NODE_FUNCTIONS = re.compile(
    r"citus_\w+|run_command_on_\w+|master_\w+|worker_\w+|create_distributed_\w+"
    r"|create_reference_table|undistribute_table|alter_distributed_table|rebalance_table_shards"
    r"|replicate_table_shards|isolate_tenant_\w+|remove_local_tables_from_metadata"
    r"|truncate_local_data_after_distributing_table|update_distributed_table_colocation"
    r"|(?:start|stop)_metadata_sync_\w+"
)
TABLE_NAMES = ("tg_table_name", "tg_relname", "tg_relid")
"""The variables of a trigger that name the shard where the trigger runs."""


def table_names(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield trigger functions that read the table's name, which is the shard's on a worker."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        for body in bodies(words):
            inner = Words.of(body.text)
            used = next((token for token in inner.tokens if token.is_word(*TABLE_NAMES)), None)
            if used:
                text = f"{used.raw} is the shard's on a worker, such as drugs_102008."
                hint = "Give the name to the trigger as an argument, TG_ARGV[0]."
                yield script.finding(TABLE_NAME, text, hint, statement)


def trigger_writes(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield trigger functions that change rows which a trigger on a shard cannot change."""
    for text in texts(script):
        if not text.in_body or not Words.of(text.place.sql).has("returns", "trigger"):
            continue
        for _, table, _ in row_changes(text.words):
            if script.domain.is_core:
                yield script.finding(
                    TRIGGER_WRITES,
                    f"On a reference table, the trigger fires once for each node, and Citus refuses"
                    f" that it changes {table}.",
                    "Change the rows in the application, if the trigger is on a table that domains"
                    " reference.",
                    text.place,
                    "warning",
                )
            elif table.schema == CORE_SCHEMA and text.words.has(CORE_SCHEMA):
                yield script.finding(
                    TRIGGER_WRITES,
                    f"The trigger runs on a worker, where Citus refuses to change {table} of core.",
                    "Change core's rows in the application.",
                    text.place,
                )


def node_functions(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield calls of functions that change the cluster, or run commands on its nodes."""
    for text in texts(script):
        called = (name for name, _ in calls(text.words.tokens))
        for name in sorted({name for name in called if NODE_FUNCTIONS.fullmatch(name)}):
            yield script.finding(
                NODE_FUNCTION,
                f"{name}() works over connections of its own: the guard does not see what it"
                " changes, and a rollback does not undo it.",
                "Use distribute_domain; run it by hand where that does not do it.",
                text.place,
            )
