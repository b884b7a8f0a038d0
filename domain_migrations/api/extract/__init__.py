"""Extractions: a domain leaves for a server of its own while the application writes."""
