"""Rules and builders; the only package that imports SCons."""
