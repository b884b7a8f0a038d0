"""Histories, journals, seed ledgers, and the status read from them."""
