"""Database backends; they know nothing of domains."""
