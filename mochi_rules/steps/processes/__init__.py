"""Processes that steps start: requests, limits, and output that is caught."""
