"""Citus' functions that work past the transaction."""

from __future__ import annotations

import pytest

from domain_migrations.engine.cluster.node_functions import node_function


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SELECT run_command_on_workers('DROP TABLE x')", "run_command_on_workers"),
        (
            "SELECT * FROM pg_catalog.run_command_on_all_nodes ($$SELECT 1$$)",
            "run_command_on_all_nodes",
        ),
        ("select Run_Command_On_Shards('a', 'b')", "run_command_on_shards"),
        ("PERFORM run_command_on_placements('a', 'b');", "run_command_on_placements"),
        ("EXECUTE 'SELECT run_command_on_coordinator(''x'')'", "run_command_on_coordinator"),
        ("SELECT \"undistribute_table\"('hr.a')", "undistribute_table"),
        ("SELECT alter_distributed_table('hr.a', shard_count := 4)", "alter_distributed_table"),
        ("SELECT citus_add_node('a', 1)", "citus_add_node"),
        ("SELECT citus_add_inactive_node('a', 1)", "citus_add_inactive_node"),
        ("SELECT citus_remove_node('a', 1)", "citus_remove_node"),
        ("SELECT master_update_node(1, 'a', 1)", "master_update_node"),
        ("SELECT citus_internal.add_tenant_schema(1, 2)", "citus_internal.add_tenant_schema"),
        ("SELECT citus_move_shard_placement(1, 'a', 1, 'b', 2)", "citus_move_shard_placement"),
        ("SELECT citus_schema_move('hr', 'a', 1)", "citus_schema_move"),
        ("SELECT worker_apply_shard_ddl_command(1, 'x')", "worker_apply_shard_ddl_command"),
        ("SELECT create_reference_table('public.a')", ""),
        ("SELECT create_distributed_table('public.a', 'b')", ""),
        ("SELECT nextval('a'), worker_nextval('a')", ""),
        ("SELECT * FROM master_get_active_worker_nodes()", ""),
        ("SELECT citus_table_size('hr.a')", ""),
        ("SELECT my_run_command_on_workers('x')", ""),
        ("ALTER TABLE hr.worker_hours ADD COLUMN master_key int", ""),
        ("INSERT INTO worker_hours (id) VALUES (1)", ""),
        ("INSERT INTO hr.undistribute_table (id) VALUES (1)", ""),
        ('SELECT "pg_catalog"."undistribute_table"(\'hr.a\')', "undistribute_table"),
    ],
)
def test_functions_by_name(text: str, name: str) -> None:
    assert node_function(text) == name
