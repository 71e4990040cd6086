"""Tests of releases; a package, so that they share samples."""
