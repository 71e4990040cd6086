"""Executables: a launcher with an artifact attached, for every platform, without a linker."""
