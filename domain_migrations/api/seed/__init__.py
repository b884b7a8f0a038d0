"""``seed_domain``: reference data of a domain, kept in files beside its migrations."""
