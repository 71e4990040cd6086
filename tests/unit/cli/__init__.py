"""Tests of mochi_rules.cli; a package, so that its modules may be called like others."""
