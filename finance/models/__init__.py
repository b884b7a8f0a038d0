"""The models of finance; every table is in the schema ``finance``."""

from __future__ import annotations

from .books import Account, Journal, JournalLine
from .invoices import Invoice, InvoiceLine, Payment

__all__ = ["Account", "Invoice", "InvoiceLine", "Journal", "JournalLine", "Payment"]
