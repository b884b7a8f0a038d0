"""``adopt_domain``: an existing app becomes a domain, in its code and in each database."""
