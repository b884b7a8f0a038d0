"""Hooks: commands that run before and after the runs of domains."""
