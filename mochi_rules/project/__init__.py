"""What a project says: attributes of rules, labels, sources, `mochi.toml`, configurations."""
