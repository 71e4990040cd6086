"""Functions copied for the types that they are called with."""
