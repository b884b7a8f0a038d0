"""Migration files, read without importing them."""
