"""Releases: archives, bills of materials, provenance, and what checks and repeats them."""
