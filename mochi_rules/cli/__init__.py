"""The mochi-rules command: parse arguments, call, print."""
