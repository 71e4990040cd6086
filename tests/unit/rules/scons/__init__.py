"""Tests of mochi_rules.rules; a package, so that its modules may be called like others."""
