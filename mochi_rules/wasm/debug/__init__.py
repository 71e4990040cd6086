"""Debug information: which source line each instruction comes from."""
