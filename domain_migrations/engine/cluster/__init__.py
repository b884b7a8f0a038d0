"""Citus: the nodes of a cluster, where schemas are, and what its statements need."""
