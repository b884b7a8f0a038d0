"""Database sessions: connections, locks, timeouts and roles."""
