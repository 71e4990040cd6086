"""The checked tree to IR: one function at a time, starting from what runs."""
