"""The runtime library, in the dialect of lowlevel.py."""
