"""Django's own test suites, run with every model's table moved to another schema.

Opt-in: ``python -m tests.django_suite``. Nothing here is collected by pytest.
"""
