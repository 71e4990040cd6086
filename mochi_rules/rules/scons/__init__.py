"""The border to SCons: builders, rules, verbs. Nothing outside of this package imports SCons."""
