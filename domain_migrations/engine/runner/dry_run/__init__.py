"""Dry runs: migrations executed and rolled back."""
