"""Schemas as recorded in ``pg_catalog``: fingerprints, and differences from the models."""
