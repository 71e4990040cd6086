"""What an artifact is, and whether it is sound; the only package that imports elftools."""
