"""The formats of archives: one module writes each, and `reader` reads all of them."""
