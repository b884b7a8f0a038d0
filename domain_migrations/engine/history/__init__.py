"""Histories, journals and seed ledgers."""
