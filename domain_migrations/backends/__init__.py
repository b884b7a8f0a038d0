"""Database backends for qualified table names, independent of domains."""
