"""Tests of mochi_rules.ui; a package, so that its modules may be called like others."""
