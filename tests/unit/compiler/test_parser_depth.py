"""Deep and long programs: a limit with a diagnostic, and time that grows with the text alone."""

from __future__ import annotations

import gc
import sys
import time

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.span import Source
from mochi_rules.compiler.syntax.limits import MAX_NESTING
from mochi_rules.compiler.syntax.parser import parse_module

# What is repeated, what stands in the middle, what closes it again; and how many levels each is.
NESTED = {
    "parentheses": ("_ = ", "(", "x", ")", 1),
    "sums": ("_ = ", "1 * (2 + ", "x", ")", 1),
    "calls": ("_ = ", "1 + f(", "x", ")", 1),
    "indexes": ("_ = ", "xs[1 + ", "x", "]", 1),
    "slices": ("_ = ", "xs[:", "x", "]", 1),
    "lists": ("_ = ", "[", "x", "]", 1),
    "maps": ("_ = ", "{k: ", "x", "}", 1),
    "structs": ("_ = ", "P { f: ", "x", "}", 1),
    "conditions": ("_ = ", "if ", "x", " then 1 else 2", 1),
    "branches": ("_ = ", "if c { ", "x", " }", 1),
    "arms": ("_ = ", "match c { _ => ", "x", " }", 1),
    "queries": ("_ = ", "from a in ", "x", " select a", 1),
    "transfers": ("_ = ", "fetch ", "x", "", 1),
    "functions": ("_ = ", "fun() => ", "x", "", 1),
    "closures": ("_ = ", "fun() { return ", "x", " }", 2),
    "arms with blocks": ("_ = ", "match c { _ => { _ = ", "x", " } }", 2),
    "ifs": ("", "if c { ", "x = 1", " }", 1),
    "loops": ("", "for i in xs { ", "x = 1", " }", 1),
    "declarations": ("", "fun f() { ", "x = 1", " }", 1),
    "list types": ("let x: ", "list<", "int", ">", 1),
    "function types": ("let x: ", "fun(", "int", ")", 1),
    "record types": ("let x: ", "{f: ", "int", "}", 1),
}


def faults(text):
    """Return the codes that a text is reported with."""
    diagnostics = Diagnostics()
    parse_module(Source("t.mochi", text), diagnostics)
    return [item.code for item in diagnostics]


def nest(name, count):
    """Return a program of so many levels."""
    begin, opening, middle, closing, _ = NESTED[name]
    return begin + opening * count + middle + closing * count


@pytest.mark.parametrize("name", NESTED)
def test_nesting_up_to_the_limit(name):
    """Programs nested almost as deep as allowed are accepted, within Python's default stack."""
    assert faults(nest(name, (MAX_NESTING - 1) // NESTED[name][4])) == []


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("count", [MAX_NESTING + 1, 5_000])
def test_nesting_beyond_the_limit(name, count):
    """Deeper programs are refused by a diagnostic, however deep they are."""
    assert faults(nest(name, count)) == ["P080"]


@pytest.mark.parametrize("name", NESTED)
def test_unclosed_nesting(name):
    """A deep program that ends in the middle of it gets few errors."""
    begin, opening, *_ = NESTED[name]
    assert len(faults(begin + opening * 5_000)) <= 3


def test_nearly_full_stack_is_a_diagnostic():
    """Where the caller has used up the stack, the parser reports that and raises nothing."""
    text = nest("calls", MAX_NESTING - 1)

    def fall(levels):
        return fall(levels - 1) if levels else faults(text)

    depth, frame = 0, sys._getframe()
    while frame := frame.f_back:
        depth += 1
    assert fall(sys.getrecursionlimit() - depth - 200) == ["P080"]


LONG = {
    "statements": "let a = f(b[1], {c: d}) + 2\n",
    "lines of one expression": "x +\n",
    "elements": "_ = [1, 2\n",
    "opening braces": "{",
    "closing braces": "}",
    "opening parentheses": "f(",
    "comparisons with casts": "x as T < ",
    "casts in types": "x as list<a, ",
    "maps or blocks": "match x { _ => { f() ",
    "comments": "/* ",
    "quotes": '"',
    "escapes": '"\\q" ',
    "unknown characters": "@ ",
    "names": "a\u00e9 \u00e9a ",
    "errors": "let = 1\n",
    "errors in a line": "let = 1 ",
    "useless values": "x\n",
    "keywords": "if else for while in ",
    "numbers": "0x 1e 1_0 ",
    "dots": "..",
    "colons": "::-",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_time_is_linear(name):
    """Four times the text takes about four times as long, whatever it is a repetition of."""

    def seconds(count):
        text = LONG[name] * count
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            faults(text)
            best = min(best, time.process_time() - start)
        return best

    gc.disable()  # it looks at all that other tests have left, again and again
    try:
        assert seconds(4_000) < 10 * seconds(1_000) + 0.05
    finally:
        gc.enable()
