"""The steps that a C compiler takes part in: native programs, libraries for C, bundles."""
