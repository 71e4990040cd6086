"""Tests of ahead-of-time compilation."""
