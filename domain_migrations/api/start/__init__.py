"""``start_domain``: a new domain in a project."""
