"""Database engine: PostgreSQL with domains, on the embedded server."""
