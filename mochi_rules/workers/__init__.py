"""Worker processes: their protocol, and the part of our environment that they see."""
