"""The mid-level IR: its functions, operations and types; built, printed, parsed and verified."""
