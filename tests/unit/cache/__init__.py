"""Tests of the cache; a package, so that processes of the tests can import the samples."""
