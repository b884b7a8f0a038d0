"""Measurements; none runs by default."""
