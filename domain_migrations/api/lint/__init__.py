"""What is dangerous in migrations that have not run yet, told from their SQL and operations."""
