"""End-to-end tests: the real commands in directories of their own."""
