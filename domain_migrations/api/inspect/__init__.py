"""Inspection: an existing schema as a new domain."""
