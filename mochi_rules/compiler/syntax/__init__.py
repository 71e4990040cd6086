"""Source text to the syntax tree of the complete grammar."""
