"""The models of human resources; every table is in the schema ``hr``."""

from __future__ import annotations

from .leave import LeaveBalance, LeaveRequest, LeaveType
from .people import Assignment, Employee, Position

__all__ = ["Assignment", "Employee", "LeaveBalance", "LeaveRequest", "LeaveType", "Position"]
