"""The scripts of findings/, run against the real programs. Run: python -m tests.findings"""
