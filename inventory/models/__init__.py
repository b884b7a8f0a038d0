"""The models of the inventory; every table is in the schema ``inventory``."""

from __future__ import annotations

from .budget import (
    Budget,
    BudgetAllocation,
    BudgetCategory,
    BudgetPlan,
    BudgetReservation,
    BudgetType,
)
from .budget_requests import (
    BudgetRequest,
    BudgetRequestAudit,
    BudgetRequestComment,
    BudgetRequestItem,
)
from .catalogue import DosageForm, Drug, DrugComponent, DrugGeneric, DrugUnit, PackRatio
from .contracts import Contract, ContractItem
from .places import Company, Department, Location
from .purchasing import (
    ProcurementMethod,
    PurchaseOrder,
    PurchaseOrderItem,
    PurchaseRequest,
    PurchaseRequestItem,
)
from .receiving import Receipt, ReceiptInspector, ReceiptItem
from .stock import DrugLot, StockLevel, StockOnHand, StockTransaction

__all__ = [
    "Budget",
    "BudgetAllocation",
    "BudgetCategory",
    "BudgetPlan",
    "BudgetRequest",
    "BudgetRequestAudit",
    "BudgetRequestComment",
    "BudgetRequestItem",
    "BudgetReservation",
    "BudgetType",
    "Company",
    "Contract",
    "ContractItem",
    "Department",
    "DosageForm",
    "Drug",
    "DrugComponent",
    "DrugGeneric",
    "DrugLot",
    "DrugUnit",
    "Location",
    "PackRatio",
    "ProcurementMethod",
    "PurchaseOrder",
    "PurchaseOrderItem",
    "PurchaseRequest",
    "PurchaseRequestItem",
    "Receipt",
    "ReceiptInspector",
    "ReceiptItem",
    "StockLevel",
    "StockOnHand",
    "StockTransaction",
]
