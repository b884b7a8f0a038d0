"""Citus' functions that work on nodes and shards, past the transaction that calls them.

Most run over connections of their own, so a rollback does not undo what they did; none of what they
do on a node is seen by the boundary guard, which reads the coordinator's catalog.
"""

from __future__ import annotations

import re

_FAMILIES = (
    r"run_command_on_(?:\w+)",
    r"citus_run_local_command",
    r"citus_internal\.\w+",
    r"citus_internal_\w+",
    r"master_(?:(?:activate|add|add_inactive|add_secondary|disable|drain|remove|update)_node"
    r"|(?:copy|move)_shard_placement|create_empty_shard|set_node_property"
    r"|remove_(?:distributed_table_metadata_from_workers|partition_metadata)"
    r"|unmark_object_distributed)",
    r"worker_(?:apply_(?:inter_shard_ddl|shard_ddl|sequence)_command"
    r"|adjust_identity_column_seq_ranges|change_sequence_dependency|copy_table_to_node"
    r"|create_or_(?:alter_role|replace_object)|create_truncate_trigger"
    r"|drop_(?:all_shell_tables|distributed_table|sequence_dependency|shell_table)"
    r"|fix_\w+|record_sequence_dependency|save_query_explain_analyze|split_\w+)",
    r"citus_(?:add|remove|activate|disable|drain|update|promote|pause)_\w*(?:node|clone)\w*",
    r"citus_set_(?:coordinator_host|node_property|default_rebalance_strategy)",
    r"citus_(?:move|copy|split)_shard\w*",
    r"citus_rebalance_(?:start|stop|wait)",
    r"citus_schema_(?:distribute|undistribute|move)",
    r"citus_(?:drop_all_shards|drop_trigger|unmark_object_distributed|create_restore_point)",
    r"citus_cleanup_orphaned_\w+",
    r"citus_(?:add_local_table_to_metadata|add_rebalance_strategy)",
    r"citus_(?:finish|finalize|prepare)_\w*upgrade\w*",
    r"citus_job_(?:cancel|wait)",
    r"citus_task_wait",
    r"(?:rebalance|replicate)_table_shards",
    r"replicate_reference_tables",
    r"undistribute_table",
    r"alter_distributed_table",
    r"alter_table_set_access_method",
    r"alter_old_partitions_set_access_method",
    r"update_distributed_table_colocation",
    r"isolate_tenant_to_new_shard",
    r"truncate_local_data_after_distributing_table",
    r"remove_local_tables_from_metadata",
    r"(?:start|stop)_metadata_sync_to_\w+",
    r"recover_prepared_transactions",
    r"create_distributed_table_concurrently",
    r"fix_(?:all_)?partition_shard_index_names",
    r"fix_pre_citus\w+",
    r"lock_shard_(?:metadata|resources)",
)
_CALL = re.compile(
    rf"(?<![\w$.])(?:\"?pg_catalog\"?\s*\.\s*)?\"?({'|'.join(_FAMILIES)})[\"\s]*\(", re.IGNORECASE
)


def node_function(text: str) -> str:
    """Return the first of the functions that a text calls, or names in the body of one; or ""."""
    found = _CALL.search(text)
    return found[1].lower() if found else ""
