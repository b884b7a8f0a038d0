"""Verification of databases, one module for each kind of finding."""
