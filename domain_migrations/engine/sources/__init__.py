"""Migration files: which exist, what they declare, and their checksums."""
