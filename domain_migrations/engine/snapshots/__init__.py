"""Snapshots: a domain's schema as one file, restored into empty databases."""
