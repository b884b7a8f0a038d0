"""Changes to the inventory: each service is one transaction."""
