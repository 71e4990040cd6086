"""Queries: a plan is made of the syntax tree, rewritten, and then built."""
