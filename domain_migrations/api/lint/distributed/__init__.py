"""``lint_domain --engine citus``: what a distributed domain refuses."""
