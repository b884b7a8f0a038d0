"""Admin pages of locations, departments and companies."""

from __future__ import annotations

from django.contrib import admin

from inventory.models import Company, Department, Location


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):
    list_display = ("code", "name", "kind", "storage", "parent", "is_active")
    list_filter = ("is_active", "kind", "storage")
    list_select_related = ("parent",)
    search_fields = ("code", "name")
    autocomplete_fields = ("parent",)


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin):
    list_display = ("code", "name", "cost_centre", "location", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("cost_centre", "location")
    search_fields = ("code", "name", "cost_centre__code")
    autocomplete_fields = ("cost_centre", "location")


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):
    list_display = ("code", "name", "kind", "tax_id", "phone", "is_active")
    list_filter = ("is_active", "kind")
    search_fields = ("code", "name", "tax_id")
