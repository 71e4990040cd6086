"""Bazel's HTTP cache protocol."""
