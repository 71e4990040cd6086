"""Tests of the formats of machine code files."""
