"""Fleets: one release over the databases of many sites."""
