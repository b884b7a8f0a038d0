"""The database engine for PostgreSQL with domains on the embedded server."""
