"""Worker processes: the protocol that they speak, and what they see of our environment."""
