"""The WebAssembly module model, its binary encoder and its text printer; knows nothing of Mochi."""
