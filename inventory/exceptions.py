"""What can go wrong in the pharmacy; the message is fit for the person who reads it."""

from __future__ import annotations


class InventoryError(Exception):
    """A rule of the inventory was about to be broken; nothing was written."""


class InsufficientStock(InventoryError):
    """A location does not hold enough usable stock of a drug."""


class InsufficientBudget(InventoryError):
    """An allocation has less money left than is asked for."""


class InvalidTransition(InventoryError):
    """A document is not in the state in which the step is allowed."""


class IndivisiblePack(InventoryError):
    """A quantity is not a whole number of packs."""
