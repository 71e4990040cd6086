"""Tests of the object formats."""
