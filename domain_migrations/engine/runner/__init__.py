"""Runs: options, plans, execution and results."""
