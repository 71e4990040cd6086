"""CLIF to objects and executables that need no Wasmtime."""
