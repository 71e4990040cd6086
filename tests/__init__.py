"""Tests: unit/ mirrors the packages, golden/ are files, e2e/ and native/ use real tools."""
