"""How much of something a program may have; docs/guide.md lists these limits."""

MAX_NESTING = 150  # expressions, blocks and types inside each other; types that are inferred too
MAX_TYPE_PARTS = 10_000  # of one written type, its aliases expanded
# Calls: enough for the stages to walk whatever is nested in a tree of MAX_NESTING levels.
RECURSION_LIMIT = 20_000
