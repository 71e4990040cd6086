"""Tools: which one compiles for which platform, and what this machine lacks."""
