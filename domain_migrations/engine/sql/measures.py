"""The estimated rows and the size of tables, as SQL that waits for no lock.

``pg_total_relation_size`` waits for an ``ACCESS EXCLUSIVE`` lock on the table, held or queued: of
a table that is being migrated, the size at the last ``ANALYZE`` is returned instead. Small tables
are rarely analysed; their rows are those counted by PostgreSQL's statistics.
"""

from __future__ import annotations

LOCKED = """
locked AS MATERIALIZED (
    SELECT coalesce(i.indrelid, l.relation) AS relation
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = l.relation
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
      AND l.database = (
          SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()
      )
)
"""

ROWS = """
CASE WHEN c.reltuples >= 0 OR c.relkind = 'p' THEN c.reltuples
     WHEN pg_catalog.pg_stat_get_live_tuples(c.oid) > 0
     THEN pg_catalog.pg_stat_get_live_tuples(c.oid)
     WHEN c.oid NOT IN (SELECT relation FROM locked)
          AND pg_catalog.pg_relation_size(c.oid) = 0 THEN 0
     ELSE -1
END
"""
"""Of ``pg_class c``; -1 without an estimate."""

BYTES = """
CASE WHEN c.oid IN (SELECT relation FROM locked)
     THEN c.relpages * current_setting('block_size')::bigint
     ELSE pg_catalog.pg_total_relation_size(c.oid)
END
"""
