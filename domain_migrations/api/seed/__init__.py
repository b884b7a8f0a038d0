"""Seeds: the rows that a domain comes with, kept in files beside its migrations."""
