"""Reads: functions that answer a question and write nothing."""
