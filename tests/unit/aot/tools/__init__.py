"""Tests of the tools that compile ahead of time."""
