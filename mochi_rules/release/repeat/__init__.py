"""Builds again: a release from its provenance, and a workspace under variations."""
