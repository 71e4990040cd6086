"""WebAssembly modules, as `lower/` makes them, to the text of Cranelift's own IR."""
