"""Platforms, CPU levels and the resolution of toolchains, as data."""
