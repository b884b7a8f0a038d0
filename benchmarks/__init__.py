"""Benchmarks; none of them runs by default."""
