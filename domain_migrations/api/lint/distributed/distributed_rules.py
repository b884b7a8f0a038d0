"""The rules of ``lint_domain --engine citus``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..script import LintFinding, MigrationScript
from . import pending_checks, routines_on_nodes, row_statements, table_actions

DISTRIBUTED_RULES: Mapping[str, Callable[[MigrationScript], Iterator[LintFinding]]] = {
    table_actions.ALTER_TABLE: table_actions.altered_tables,
    table_actions.IDENTITY: table_actions.changed_identities,
    table_actions.SEQUENCE: table_actions.changed_sequences,
    table_actions.INHERITANCE: table_actions.inherited_tables,
    table_actions.RULE: table_actions.rules_with_actions,
    table_actions.POLICY: table_actions.policies_with_queries,
    table_actions.LOCAL_OBJECT: table_actions.local_objects,
    row_statements.VOLATILE_FUNCTION: row_statements.volatile_functions,
    row_statements.ACROSS_DOMAINS: row_statements.queries_across_domains,
    row_statements.CORE_BY_DOMAIN: row_statements.core_rows_by_domain,
    row_statements.LOCKED_SELECT: row_statements.locked_selects,
    pending_checks.DATA_THEN_DDL: pending_checks.data_then_ddl,
    row_statements.SEQUENCE_VALUE: row_statements.sequence_values,
    routines_on_nodes.TABLE_NAME: routines_on_nodes.table_names,
    routines_on_nodes.TRIGGER_WRITES: routines_on_nodes.trigger_writes,
    routines_on_nodes.NODE_FUNCTION: routines_on_nodes.node_functions,
}
IDS = frozenset({*DISTRIBUTED_RULES, table_actions.RENAME_CONSTRAINT, table_actions.SCHEMA_CHANGE})
"""All ids; the rule on ALTER TABLE reports some of its own."""
