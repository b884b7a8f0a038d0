"""What ``pg_catalog`` says about a schema, as text that can be compared."""
