"""The guard: the domain rule enforced in each migration's transaction."""
