"""SCons tools by name; what they do is in `mochi_rules.rules`."""
