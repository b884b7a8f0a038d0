"""The adoption of what a database has: apps move to a domain's schema, or a schema is recorded."""
