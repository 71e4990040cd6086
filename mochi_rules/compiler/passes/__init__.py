"""Transformations of the mid-level IR: one pass a file, the order here."""
