"""The boundary between domains, seen from models, plans, transactions, the catalog and grants."""
