"""Literals of one character."""

from __future__ import annotations

from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.compiler.lower.static import string_object


def test_literal_is_the_character_of_a_text() -> None:
    """A literal of one ASCII character is the object that a character of a text is."""
    text = 'let values_ = {"I": 1, "V": 5}\nlet s = input()\nprint(values_[s[0]])\n'
    wasm = compile_program(CompileRequest("main.mochi", {"main.mochi": text})).wasm
    assert wasm.count(string_object(b"V")) == 1
