"""WebAssembly to .cwasm and .o; the only package that imports wasmtime."""
