"""The runtime library in the compiler's own low-level dialect of Mochi."""
