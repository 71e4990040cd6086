"""Formats of machine code files: their structures and numbers, for what reads and writes them."""
