"""The adoption of apps in a database: their tables and history move to the schema of a domain."""
