"""Tests of what C sees of the native backend."""
