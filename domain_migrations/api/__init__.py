"""The public functions: one module or package for each command."""
