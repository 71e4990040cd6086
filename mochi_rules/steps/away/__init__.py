"""Steps that run elsewhere: what goes along with them, and how their results come back."""
