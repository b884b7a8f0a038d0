"""The project's configuration: settings, URLs, entry points and the embedded PostgreSQL."""
