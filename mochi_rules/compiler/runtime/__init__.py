"""The runtime library, in the dialect that library.py describes."""
