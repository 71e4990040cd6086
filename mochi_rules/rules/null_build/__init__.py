"""Builds that have nothing to do: proved so from a manifest, before SCons walks its graph."""
