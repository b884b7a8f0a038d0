"""Django's own test suites, run with every model's table moved to a schema of its own.

Opt-in: ``python -m tests.django_suite``. Nothing here is collected by pytest.
"""
