"""Tests of `mochi_rules.base`."""
