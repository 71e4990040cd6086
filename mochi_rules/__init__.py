"""Build rules that take Mochi and WebAssembly to verified native artifacts."""

__version__ = "0.1.0"
