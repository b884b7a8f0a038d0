"""Readers of seed files, one for each format."""
