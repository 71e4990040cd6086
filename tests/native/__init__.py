"""Tests of the programs in `toolchains/native`, which are built from source first."""
