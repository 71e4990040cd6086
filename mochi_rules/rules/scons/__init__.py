"""What mochi_rules needs of SCons itself: its nodes, its errors, its terminal, and signals."""
