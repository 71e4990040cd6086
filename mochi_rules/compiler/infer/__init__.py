"""Whole-program type inference: every expression and variable gets a cell, every cell a type."""
