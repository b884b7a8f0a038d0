"""The statements that turn one schema into another, from the catalogs of both."""
