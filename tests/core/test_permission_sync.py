"""Synchronization of core's permissions with Django's."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth.models import Permission as AuthPermission

from core.models import Permission
from core.permission_sync import sync_permissions

pytestmark = pytest.mark.usefixtures("rolled_back")


def test_missing_permissions_are_added_and_names_are_updated():
    Permission.objects.filter(code="hr.view_employee").delete()
    AuthPermission.objects.filter(codename="change_employee").update(name="Can mend employee")
    sync_permissions(apps.get_app_config("hr"))
    assert Permission.objects.filter(code="hr.view_employee").exists()
    assert Permission.objects.get(code="hr.change_employee").name == "Can mend employee"


def test_codes_that_django_no_longer_has_are_kept():
    Permission.objects.create(code="hr.fire_employee", name="Can fire employee")
    sync_permissions(apps.get_app_config("hr"))
    assert Permission.objects.filter(code="hr.fire_employee").exists()


def test_other_apps_are_not_changed():
    Permission.objects.filter(code="hr.view_employee").delete()
    sync_permissions(apps.get_app_config("finance"))
    assert not Permission.objects.filter(code="hr.view_employee").exists()


def test_nothing_happens_before_the_models_exist(django_assert_num_queries):
    with django_assert_num_queries(0):
        sync_permissions(apps.get_app_config("hr"), apps=Apps())


def test_an_app_costs_two_queries_when_nothing_changed(django_assert_num_queries):
    with django_assert_num_queries(2):
        sync_permissions(apps.get_app_config("hr"))
