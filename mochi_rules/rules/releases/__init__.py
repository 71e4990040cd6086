"""Releases as rules: the programs of one, `scons release`, and what was built for it."""
