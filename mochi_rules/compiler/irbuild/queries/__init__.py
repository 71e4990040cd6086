"""Queries: a plan is made from the syntax tree, rewritten, and built."""
