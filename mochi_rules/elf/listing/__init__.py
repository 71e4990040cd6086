"""Machine code with the lines that it comes from."""
