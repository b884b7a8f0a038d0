"""References to other domains in the admin: found by searching, shown as links.

::

    @admin.register(Requisition)
    class RequisitionAdmin(DomainReferenceAdmin):
        list_display = ["number", "requested_by_id"]

A list takes one query for each other model that its rows refer to, however many they are.
"""

from __future__ import annotations

from .admin import (
    DomainReferenceAdmin,
    DomainReferenceStackedInline,
    DomainReferenceTabularInline,
    ReferencingChangeList,
    ReferencingFormSet,
)
from .links import column, link
from .search import ReferenceSearch
from .widgets import LinkedInput, ReferenceSelect

__all__ = [
    "DomainReferenceAdmin",
    "DomainReferenceStackedInline",
    "DomainReferenceTabularInline",
    "LinkedInput",
    "ReferenceSearch",
    "ReferenceSelect",
    "ReferencingChangeList",
    "ReferencingFormSet",
    "column",
    "link",
]
