"""Blocks and jumps to nested code: what becomes of each shape of control flow."""

from __future__ import annotations

import textwrap

import pytest

from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.ir.parse import parse_function
from mochi_rules.compiler.lower.structure import Structurer


class Recorder:
    """Writes down what is emitted, nested as it is; a block shows as its name."""

    def __init__(self, names) -> None:
        self.names = names
        self.lines = []
        self.depth = 0

    def raw(self, mnemonic, *operands) -> None:
        """Write an instruction."""
        self.depth -= mnemonic in ("end", "else")
        words = (mnemonic, *(str(word) for word in operands if word is not None))
        self.lines.append("  " * self.depth + " ".join(words))
        self.depth += mnemonic in ("block", "loop", "if", "else")

    def begin_loop(self, block) -> None:
        """Lines are not recorded."""

    def block_code(self, block) -> None:
        """Write the name of a block for its instructions."""
        self.raw(self.names[block])

    def condition(self, _value, *, negated) -> None:
        """Write the one condition there is."""
        self.raw("not c" if negated else "c")

    def pass_arguments(self, jump) -> None:
        """Write that there are arguments."""
        if jump.args:
            self.raw("set")

    def leave(self, _end) -> None:
        """Write a return."""
        self.raw("return")


def structured(text: str) -> str:
    """Return the nested code of a function of blocks."""
    head = "fun f(c: bool) {\n"
    function = parse_function(head + textwrap.dedent(text).lstrip() + "}\n")
    recorder = Recorder({block: f"b{n}" for n, block in enumerate(function.blocks)})
    Structurer(Flow(function), recorder).run(function.blocks[0])
    return "\n".join(recorder.lines)


SHAPES = {
    "a jump with one way there needs no label": (
        """
        b0:
          jump b1
        b1:
          return
        """,
        """
        b0
        b1
        return
        """,
    ),
    "both sides of a branch end in what follows a block": (
        """
        b0:
          branch c, b1, b2
        b1:
          jump b3
        b2:
          jump b3
        b3:
          return
        """,
        """
        block
          b0
          c
          br_if 0
          b2
          br 0
        end
        b3
        return
        """,
    ),
    "sides that return need no block around them": (
        """
        b0:
          branch c, b1, b2
        b1:
          return
        b2:
          return
        """,
        """
        b0
        c
        if
          b1
          return
        else
          b2
          return
        end
        """,
    ),
    "a jump back goes to a loop": (
        """
        b0:
          jump b1
        b1:
          branch c, b2, b3
        b2:
          jump b1
        b3:
          return
        """,
        """
        b0
        loop
          b1
          c
          br_if 0
          b3
          return
        end
        """,
    ),
    "ways out of a loop and back to it count the labels between": (
        """
        b0:
          jump b1
        b1:
          branch c, b2, b3
        b2:
          branch c, b4, b5
        b3:
          jump b6
        b4:
          jump b6
        b5:
          jump b1
        b6:
          return
        """,
        """
        b0
        loop
          block
            b1
            not c
            br_if 0
            b2
            c
            br_if 0
            b5
            br 1
          end
          b6
          return
        end
        """,
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape) -> None:
    """A merge is the end of a block, a loop is where a jump goes back to."""
    before, after = SHAPES[shape]
    assert structured(before) == textwrap.dedent(after).strip()


def test_long_chain_of_branches_takes_no_recursion() -> None:
    """A thousand statements in a row nest a thousand deep."""
    count = 3000
    lines = []
    for number in range(count):
        at = 3 * number
        lines += [f"b{at}:", f"  branch c, b{at + 1}, b{at + 2}"]
        lines += [f"b{at + 1}:", "  return", f"b{at + 2}:", f"  jump b{at + 3}"]
    lines += [f"b{3 * count}:", "  return", ""]
    found = structured("\n".join(lines))
    assert found.count("end") == count
