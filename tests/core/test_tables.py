"""Core's tables and constraints in the database."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from tests.support.business import make_cost_centre, make_user

pytestmark = pytest.mark.usefixtures("rolled_back")

TABLES = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
"""

LEAVING_PUBLIC = """
SELECT conname FROM pg_constraint k
  JOIN pg_class t ON t.oid = k.confrelid
 WHERE k.connamespace = 'public'::regnamespace AND t.relnamespace <> k.connamespace
"""


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {name for (name,) in cursor.fetchall()}


def test_core_has_its_tables_in_public():
    expected = {"users", "user_groups", "user_permissions", "user_roles", "roles"}
    assert expected | {"permissions", "role_permissions", "cost_centres"} <= rows(TABLES)


def test_core_references_no_domain():
    assert rows(LEAVING_PUBLIC) == set()


def test_an_email_address_belongs_to_one_user__case_insensitively():
    make_user(email="nok@example.com")
    with pytest.raises(IntegrityError, match="users_email_lower_key"), transaction.atomic():
        make_user(email="Nok@Example.com")
    make_user(email="")
    make_user(email="")


@pytest.mark.parametrize("code", ["ward", "WARD--1", "-WARD", "WARD 1", ""])
def test_a_cost_centre_code_is_checked(code):
    with pytest.raises(IntegrityError, match="cost_centres_code_check"), transaction.atomic():
        make_cost_centre(code=code)


def test_a_cost_centre_code_is_unique():
    make_cost_centre(code="PHARM-01")
    with pytest.raises(IntegrityError, match="cost_centres_code_key"), transaction.atomic():
        make_cost_centre(code="PHARM-01")
