"""What names mean: imports, scopes, symbols and the functions of the language itself."""
