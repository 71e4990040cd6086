"""An interpreter of Mochi that shares nothing with the compiler but the parser.

It walks the syntax tree and holds the values of a program as values of Python, so it is short
enough to be right by reading. It knows the part of the language that `generate` writes: ints with
overflow, floats, bools, strings, lists, maps, structs, variants, functions, closures, loops,
`match`, and queries with inner joins, whose rows neither print nor fail. Types are not checked, and
what a program frees is not seen.
"""
