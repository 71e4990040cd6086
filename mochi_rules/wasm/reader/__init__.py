"""Reads foreign WebAssembly: any bytes may come."""
