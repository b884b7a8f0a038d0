"""A domain's schema as one file, which an empty database gets instead of a replay."""
