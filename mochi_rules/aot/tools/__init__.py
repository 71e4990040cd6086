"""What compiles ahead of time, or compiles C: one tool a file, and what starts it as a worker."""
