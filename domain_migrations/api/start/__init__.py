"""The life of a domain: how it begins."""
