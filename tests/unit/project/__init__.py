"""Tests of what a project says."""
