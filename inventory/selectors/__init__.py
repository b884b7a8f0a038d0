"""Queries of the inventory: functions that read and never write."""
