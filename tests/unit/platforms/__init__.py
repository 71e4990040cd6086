"""Tests of platforms and toolchains."""
