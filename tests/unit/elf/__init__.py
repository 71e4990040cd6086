"""Tests of mochi_rules.elf, with the tools they share: `making` compiles, `image` damages."""
