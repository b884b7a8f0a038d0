"""``lint_domain``: dangerous changes in migrations that have not been applied yet."""
