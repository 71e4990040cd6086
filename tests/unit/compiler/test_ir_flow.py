"""Facts about control flow: order, predecessors, dominators and loops."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.ir.parse import parse_function

# A loop in a loop; the inner one has two ways through its body.
NESTED = """\
fun f(c: bool) {
b0:
  jump b1
b1:
  branch c, b2, b3
b2:
  jump b4
b3:
  return
b4:
  branch c, b5, b6
b5:
  branch c, b7, b8
b6:
  jump b1
b7:
  jump b9
b8:
  jump b9
b9:
  jump b4
}
"""


@pytest.fixture(name="names")
def _names():
    function = parse_function(NESTED)
    return {f"b{number}": block for number, block in enumerate(function.blocks)}, Flow(function)


def _shown(blocks, names) -> str:
    return " ".join(sorted(name for name, block in names.items() if block in blocks))


def test_a_block_comes_after_its_predecessors_but_for_back_edges(names) -> None:
    """The order is a reverse postorder from the entry."""
    blocks, flow = names
    assert flow.blocks[0] is blocks["b0"]
    back = [
        (source, target) for target in flow.blocks for source in flow.predecessors[target]
        if flow.number[source] >= flow.number[target]
    ]  # fmt: skip
    assert back == [(blocks["b6"], blocks["b1"]), (blocks["b9"], blocks["b4"])]
    assert all(flow.is_back_edge(source, target) for source, target in back)


def test_the_dominator_of_a_merge_is_where_its_ways_part(names) -> None:
    """Both ways through the inner body begin in b5."""
    blocks, flow = names
    assert flow.dominator[blocks["b9"]] is blocks["b5"]
    assert _shown(flow.dominated[blocks["b5"]], blocks) == "b7 b8 b9"
    assert _shown(flow.merges, blocks) == "b9"


def test_a_block_dominates_itself_and_what_only_it_leads_to(names) -> None:
    """Not what another way leads to as well."""
    blocks, flow = names
    assert flow.dominates(blocks["b5"], blocks["b5"])
    assert flow.dominates(blocks["b1"], blocks["b9"])
    assert not flow.dominates(blocks["b7"], blocks["b9"])


def test_loops_are_nested(names) -> None:
    """An outer loop has the blocks of the inner one, and comes first."""
    blocks, flow = names
    shown = [(_shown({header}, blocks), _shown(body, blocks))
             for header, body in flow.loops.items()]  # fmt: skip
    assert shown == [("b1", "b1 b2 b4 b5 b6 b7 b8 b9"), ("b4", "b4 b5 b7 b8 b9")]
