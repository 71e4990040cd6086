"""How fast compiled programs are: kernels in Mochi, C and Go, compared in one interleaved run."""
