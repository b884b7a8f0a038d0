"""The transfer of a model's table to another domain, by two migrations that run together."""
