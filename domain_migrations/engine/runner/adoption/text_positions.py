"""Words of SQL and PL/pgSQL, by what the name next to them is."""

from __future__ import annotations

RELATION_WORDS = (
    "from", "join", "only", "using", "truncate", "lock", "copy", "references", "view", "analyze",
    "vacuum", "cluster", "sequence", "table",
)  # fmt: skip
"""Words after which a name is a relation's."""

EXPRESSION_WORDS = (
    "select", "where", "and", "or", "not", "on", "by", "when", "then", "else", "return", "in",
    "set", "is", "as", "returning", "distinct", "having", "case", "if", "elsif", "while",
    "perform", "all", "between", "like", "ilike", "values", "of", "any", "some", "limit",
    "offset", "into", "for", "exit", "raise", "default", "end", "filter", "over", "partition",
    "array", "row", "next",
)  # fmt: skip
"""Words after which a name is a column, an alias or a variable."""

CLAUSES = (
    "select", "from", "where", "group", "order", "having", "limit", "set", "values", "returning",
    "using", "update", "delete", "insert", "truncate", "table", "lock", "declare", "begin",
)  # fmt: skip
LISTS_OF_RELATIONS = ("from", "using", "truncate", "table", "lock")

NAME_FUNCTIONS = (
    "nextval", "currval", "setval", "pg_get_serial_sequence", "to_regclass", "to_regtype",
    "pg_relation_size", "pg_total_relation_size", "pg_table_size", "has_table_privilege",
    "has_sequence_privilege",
)  # fmt: skip
"""Functions that take a name as a string."""

REG_TYPES = ("regclass", "regtype", "regproc", "regprocedure")

ENDS_OF_RELATION = (
    "on", "join", "inner", "left", "right", "full", "cross", "natural", "union", "intersect",
    "except", "for", "offset", "fetch", "window", "loop", "tablesample", "when", "do", "end",
    "then", "into",
)  # fmt: skip
"""Words that may follow a relation, and are no alias of it."""
