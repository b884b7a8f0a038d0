"""Django's PostgreSQL backend with support for ``db_table = '"schema"."table"'``.

Set ``ENGINE`` to ``domain_migrations.backends.postgresql``. Names without a schema behave as
they do in Django's own backend.
"""
