"""Mochi source text to a WebAssembly module; pure functions of text."""
