"""Core's permissions follow Django's."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth.models import Permission as AuthPermission

from core.models import Permission
from core.permission_sync import sync_permissions

pytestmark = pytest.mark.usefixtures("rolled_back")


def test_missing_ones_are_added_and_names_are_brought_up_to_date():
    Permission.objects.filter(code="hr.view_employee").delete()
    AuthPermission.objects.filter(codename="change_employee").update(name="Can mend employee")
    sync_permissions(apps.get_app_config("hr"))
    assert Permission.objects.filter(code="hr.view_employee").exists()
    assert Permission.objects.get(code="hr.change_employee").name == "Can mend employee"


def test_codes_that_are_gone_stay():
    Permission.objects.create(code="hr.fire_employee", name="Can fire employee")
    sync_permissions(apps.get_app_config("hr"))
    assert Permission.objects.filter(code="hr.fire_employee").exists()


def test_another_app_is_left_alone():
    Permission.objects.filter(code="hr.view_employee").delete()
    sync_permissions(apps.get_app_config("finance"))
    assert not Permission.objects.filter(code="hr.view_employee").exists()


def test_nothing_happens_before_the_models_exist(django_assert_num_queries):
    with django_assert_num_queries(0):
        sync_permissions(apps.get_app_config("hr"), apps=Apps())


def test_an_app_costs_two_queries_when_nothing_changed(django_assert_num_queries):
    with django_assert_num_queries(2):
        sync_permissions(apps.get_app_config("hr"))
